"""Keys of an outside issuer: rotation, outages, kinds of keys."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from api.http.keys import REFETCH_S, JwksKeys
from api.http.tokens import Verifier
from models.errors import Unauthenticated, Unavailable
from tests.api.serving import served


@dataclass
class Issuer:
    """Publishes its keys over HTTP, unless it is down."""

    address: str = ""
    down: bool = False
    asked: int = 0
    keys: dict[str, tuple[Any, str]] = field(default_factory=dict)

    def add(self, key_id: str, kind: str = "EdDSA") -> None:
        makers = {
            "EdDSA": Ed25519PrivateKey.generate,
            "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        }
        self.keys[key_id] = (makers[kind](), kind)

    def token(self, key_id: str, **claims: Any) -> str:
        key, algorithm = self.keys[key_id]
        content = {"sub": "u", "tenant": "t", "role": "admin", "exp": time.time() + 60} | claims
        return jwt.encode(content, key, algorithm=algorithm, headers={"kid": key_id})

    async def publish(self, _: Request) -> Response:
        self.asked += 1
        if self.down:
            return PlainTextResponse("down", 503)
        published = [{"kty": "oct", "k": "c2VjcmV0", "kid": "hmac"}]
        for key_id, (key, kind) in self.keys.items():
            jwk = json.loads(jwt.get_algorithm_by_name(kind).to_jwk(key.public_key()))
            published.append(jwk | {"kid": key_id, "use": "sig", "alg": kind})
        return JSONResponse({"keys": published})


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    issuer.add("first")
    async with served(Starlette(routes=[Route("/jwks", issuer.publish)])) as address:
        issuer.address = f"{address}/jwks"
        yield issuer


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("kind", ["EdDSA", "RS256", "ES256"])
async def test_each_kind_of_key_is_taken(issuer: Issuer, kind: str):
    issuer.add("second", kind)
    claims = await Verifier(JwksKeys(issuer.address)).verify(issuer.token("second"))
    assert (claims.subject, claims.tenant_id) == ("u", "t")


async def test_keys_are_fetched_once(issuer: Issuer):
    verifier = Verifier(JwksKeys(issuer.address))
    for number in range(5):
        await verifier.verify(issuer.token("first", jti=str(number)))
    assert issuer.asked == 1


async def test_a_new_key_is_found_when_it_is_first_used(issuer: Issuer):
    clock = Clock()
    verifier = Verifier(JwksKeys(issuer.address, clock=clock))
    await verifier.verify(issuer.token("first"))
    issuer.add("second")
    clock.now += REFETCH_S + 1
    assert (await verifier.verify(issuer.token("second"))).subject == "u"


async def test_unknown_ids_do_not_make_us_ask_again_and_again(issuer: Issuer):
    clock = Clock()
    verifier = Verifier(JwksKeys(issuer.address, clock=clock))
    await verifier.verify(issuer.token("first"))
    issuer.add("unpublished")
    token = issuer.token("unpublished")
    del issuer.keys["unpublished"]
    for _ in range(5):
        clock.now += 1
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)
    assert issuer.asked == 1


async def test_known_keys_outlive_an_outage(issuer: Issuer):
    clock = Clock()
    verifier = Verifier(JwksKeys(issuer.address, clock=clock))
    await verifier.verify(issuer.token("first"))
    issuer.down = True
    clock.now += 3600
    assert (await verifier.verify(issuer.token("first", jti="later"))).subject == "u"


async def test_without_any_key_the_door_is_unavailable_not_closed(issuer: Issuer):
    issuer.down = True
    with pytest.raises(Unavailable):
        await Verifier(JwksKeys(issuer.address)).verify(issuer.token("first"))


async def test_a_key_that_is_withdrawn_opens_nothing(issuer: Issuer):
    clock = Clock()
    verifier = Verifier(JwksKeys(issuer.address, clock=clock))
    await verifier.verify(issuer.token("first"))
    token = issuer.token("first", jti="later")
    del issuer.keys["first"]
    issuer.add("second")
    clock.now += 3600
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_a_published_rsa_key_is_no_hmac_secret(issuer: Issuer):
    issuer.add("second", "RS256")
    confused = jwt.encode(
        {"sub": "u", "tenant": "t", "exp": time.time() + 60},
        "a-shared-secret-that-is-long-enough-for-hmac",
        algorithm="HS256",
        headers={"kid": "second"},
    )
    with pytest.raises(Unauthenticated):
        await Verifier(JwksKeys(issuer.address)).verify(confused)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody", "aud": "throughline"},
        {"iss": "issuer", "aud": "somebody"},
        {"iss": "issuer"},
        {"iss": "issuer", "aud": "throughline", "nbf": time.time() + 86_400},
        {"iss": "issuer", "aud": "throughline", "role": "emperor"},
        {"iss": "issuer", "aud": "throughline", "tenant": None},
        {"iss": "issuer", "aud": "throughline", "sub": 7},
    ],
)
async def test_issuer_audience_and_claims_must_fit(issuer: Issuer, claims: dict[str, Any]):
    verifier = Verifier(JwksKeys(issuer.address), issuer="issuer", audience="throughline")
    with pytest.raises(Unauthenticated):
        await verifier.verify(issuer.token("first", **claims))


async def test_a_fitting_token_is_taken(issuer: Issuer):
    verifier = Verifier(JwksKeys(issuer.address), issuer="issuer", audience="throughline")
    claims = await verifier.verify(issuer.token("first", iss="issuer", aud=["throughline", "x"]))
    assert claims.role == "admin"
