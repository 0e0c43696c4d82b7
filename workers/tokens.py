"""The embedded issuer: an Ed25519 key in the data folder, and the tokens signed with it."""

import base64
import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.ids import new_id
from models.rules.vocabulary import Role
from models.settings import Settings
from workers.processes import make_private

ISSUER: Final = "throughline"
ALGORITHM: Final = "EdDSA"


def key_file(settings: Settings) -> Path:
    """Where the issuer's key lies, or will."""
    return settings.signing_key_file or settings.data_dir / "signing_key.pem"


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The issuer's key, made on first use and readable by its owner alone."""
    path = key_file(settings)
    if not path.exists():
        _create(path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} is not an Ed25519 key")
    return key


def key_id(key: Ed25519PrivateKey) -> str:
    """The key's JWK thumbprint (RFC 7638): it names the key without saying anything about it."""
    point = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{point}"}}'
    digest = hashlib.sha256(canonical.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def issue(settings: Settings, *, subject: str, tenant: str, role: Role, lifetime: timedelta) -> str:
    """Sign a dashboard token."""
    key = signing_key(settings)
    now = datetime.now(UTC)
    claims: dict[str, object] = {
        "iss": settings.jwt_issuer or ISSUER,
        "sub": subject,
        "tenant": tenant,
        "role": role.value,
        "appAccess": "dashboard",
        "iat": now,
        "exp": now + lifetime,
        "jti": new_id(),
    }
    if settings.jwt_audience:
        claims["aud"] = settings.jwt_audience
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id(key)})


def _create(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    make_private(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    try:
        # Of two processes that make the first key at once, one wins and both read the same.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
