"""The embedded issuer's tokens."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from models.rules.vocabulary import Role
from models.settings import Settings
from workers.tokens import issue, key_file, key_id, signing_key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def token(settings: Settings, **changes: object) -> str:
    arguments = {
        "subject": "U1", "tenant": "T1", "role": Role.MEMBER, "lifetime": timedelta(hours=1),
    } | changes  # fmt: skip
    return issue(settings, **arguments)  # type: ignore[arg-type]


def test_a_token_says_who_acts_for_whom_and_until_when(settings: Settings):
    public = signing_key(settings).public_key()
    claims = jwt.decode(token(settings), public, algorithms=["EdDSA"], issuer="throughline")
    assert {name: claims[name] for name in ("sub", "tenant", "role", "appAccess")} == {
        "sub": "U1",
        "tenant": "T1",
        "role": "member",
        "appAccess": "dashboard",
    }
    left = datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_the_header_names_the_key(settings: Settings):
    header = jwt.get_unverified_header(token(settings))
    assert header["kid"] == key_id(signing_key(settings))


def test_the_key_is_made_once_and_kept_private(settings: Settings):
    first = signing_key(settings).private_bytes_raw()
    assert signing_key(settings).private_bytes_raw() == first
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600


def test_issuer_and_audience_follow_the_settings(settings: Settings):
    configured = settings.model_copy(update={"jwt_issuer": "us", "jwt_audience": "them"})
    public = signing_key(configured).public_key()
    claims = jwt.decode(
        token(configured), public, algorithms=["EdDSA"], issuer="us", audience="them"
    )
    assert claims["aud"] == "them"


def test_a_key_of_another_kind_is_refused(settings: Settings, tmp_path: Path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    foreign = tmp_path / "ec.pem"
    foreign.write_bytes(pem)
    with pytest.raises(TypeError, match="Ed25519"):
        signing_key(settings.model_copy(update={"signing_key_file": foreign}))
