import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from activities.tools.web.fetching import Fetcher, FetchFailed
from activities.tools.web.transport import Allowed
from tests.activities.tools.web_server import Answer, web_server


async def to_this_machine(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for tea.example, with its key, that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tea.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("tea.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "tea.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


async def fetch(certificate: Path, host: str, *, trusted: bool) -> tuple[bytes, list[str]]:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)
    async with web_server(serving) as server:
        server.on(host, "/", Answer(b"secure"))
        allowed = Allowed(
            resolver=to_this_machine,
            address=lambda address: address == "127.0.0.1",
            ports=frozenset({server.port}),
        )
        tls = ssl.create_default_context(cafile=str(certificate)) if trusted else None
        found = await Fetcher(allowed, tls).page(f"https://{host}:{server.port}/")
        return found.content, server.server_names


async def test_tls_is_spoken_with_the_name_and_not_with_the_address(certificate: Path):
    content, names = await fetch(certificate, "tea.example", trusted=True)
    assert content == b"secure"
    assert set(names) == {"tea.example"}


@pytest.mark.parametrize(("host", "trusted"), [("shop.example", True), ("tea.example", False)])
async def test_a_certificate_of_another_name_or_of_nobody_is_not_accepted(
    certificate: Path, host: str, trusted: bool
):
    with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
        await fetch(certificate, host, trusted=trusted)
