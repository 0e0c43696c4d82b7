"""Who gets in, who no longer does, and what each role may do."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update

from models.db.database import Database
from models.ids import new_id
from models.queries.tenants import agent_id
from models.tables.people import Principal
from tests.api.conftest import Person, TenantPeople, TokenFactory

ME = "/dashboard/v1/probe/me"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def change(db: Database, person: Person, **values: str) -> None:
    async with db.tenant(person.tenant_id) as session:
        await session.execute(update(Principal).where(Principal.id == person.id).values(values))


@pytest.mark.parametrize("path", [ME, f"{ME}-with-db"])
async def test_a_user_gets_in(http: httpx.AsyncClient, tenant_a: TenantPeople, path: str):
    answer = await http.get(path, headers=tenant_a.admin.headers)
    assert answer.json() == {"id": tenant_a.admin.id, "role": "admin", "tenant": tenant_a.id}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x.y.z", "x"])
async def test_without_a_token_nobody_gets_in(http: httpx.AsyncClient, header: str):
    answer = await http.get(ME, headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_expired_token_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tokens: TokenFactory
):
    old = tokens(tenant_a.admin.id, tenant_a.id, lifetime=timedelta(minutes=-5))
    assert (await http.get(ME, headers=bearer(old))).status_code == 401


async def test_a_token_of_another_issuers_key_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    forged = TokenFactory(Ed25519PrivateKey.generate())(tenant_a.admin.id, tenant_a.id)
    assert (await http.get(ME, headers=bearer(forged))).status_code == 401


async def test_a_token_without_an_end_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tokens: TokenFactory
):
    endless = tokens(tenant_a.admin.id, tenant_a.id, exp=None)
    assert (await http.get(ME, headers=bearer(endless))).status_code == 401


async def test_a_changed_claim_breaks_the_signature(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople
):
    head, body, signature = tenant_a.admin.token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["tenant"] = tenant_b.id
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    answer = await http.get(ME, headers=bearer(f"{head}.{changed}.{signature}"))
    assert answer.status_code == 401


async def test_the_algorithm_none_is_refused(http: httpx.AsyncClient, tenant_a: TenantPeople):
    claims = jwt.decode(tenant_a.admin.token, options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none")
    assert (await http.get(ME, headers=bearer(unsigned))).status_code == 401


async def test_the_public_key_is_no_hmac_secret(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tokens: TokenFactory
):
    public = tokens.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _, body, _ = tenant_a.admin.token.split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"test"}').rstrip(b"=").decode()
    mac = hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    answer = await http.get(ME, headers=bearer(f"{head}.{body}.{signature}"))
    assert answer.status_code == 401


async def test_a_token_for_another_application_is_forbidden(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tokens: TokenFactory
):
    other = tokens(tenant_a.admin.id, tenant_a.id, appAccess="console")
    answer = await http.get(ME, headers=bearer(other))
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_a_session_token_names_its_workspace_and_needs_no_app_access(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tokens: TokenFactory
):
    session = tokens(
        tenant_a.member.id, None, "member", workspace_id=tenant_a.id, appAccess=None, sid=new_id()
    )  # fmt: skip
    answer = await http.get("/api/v1/probe/contacts", headers=bearer(session))
    assert answer.json()["tenant"] == tenant_a.id


async def test_a_demotion_holds_at_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    before = await http.post("/dashboard/v1/probe/admin", headers=tenant_a.admin.headers)
    await change(db, tenant_a.admin, role="member")
    after = await http.post("/dashboard/v1/probe/admin", headers=tenant_a.admin.headers)
    assert (before.status_code, after.status_code) == (200, 403)


async def test_a_promotion_needs_a_new_token(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    await change(db, tenant_a.member, role="admin")
    answer = await http.post("/dashboard/v1/probe/admin", headers=tenant_a.member.headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("status", ["terminated", "inactive"])
async def test_a_user_who_has_left_is_out_at_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database, status: str
):
    await change(db, tenant_a.admin, status=status)
    assert (await http.get(ME, headers=tenant_a.admin.headers)).status_code == 401


async def test_a_user_of_another_tenant_is_unknown_here(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople, tokens: TokenFactory
):
    stray = tokens(tenant_a.admin.id, tenant_b.id)
    assert (await http.get(ME, headers=bearer(stray))).status_code == 401


async def test_an_agent_does_not_sign_in(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tokens: TokenFactory
):
    agent = tokens(agent_id(tenant_a.id, "copywriter"), tenant_a.id)
    assert (await http.get(ME, headers=bearer(agent))).status_code == 401


async def test_quotes_in_a_subject_are_only_text(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tokens: TokenFactory
):
    odd = tokens("x'; drop table principal; --", tenant_a.id)
    assert (await http.get(ME, headers=bearer(odd))).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/dashboard/v1/probe/me", {"admin", "member", "reviewer"}),
        ("POST", "/dashboard/v1/probe/comment", {"admin", "member", "reviewer"}),
        ("POST", "/dashboard/v1/probe/write", {"admin", "member"}),
        ("POST", "/dashboard/v1/probe/admin", {"admin"}),
        ("GET", "/api/v1/probe/contacts", {"admin", "member", "reviewer"}),
        ("DELETE", "/api/v1/probe/contacts", {"admin"}),
    ],
)
async def test_each_level_lets_in_whom_it_names(
    http: httpx.AsyncClient, tenant_a: TenantPeople, method: str, path: str, allowed: set[str]
):
    statuses = {
        person.role: (await http.request(method, path, headers=person.headers)).status_code
        for person in (tenant_a.admin, tenant_a.member, tenant_a.reviewer)
    }
    assert {role for role, status in statuses.items() if status == 200} == allowed
    assert set(statuses.values()) <= {200, 403}


async def test_a_right_is_checked_before_the_body_is(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    answer = await http.post(
        "/dashboard/v1/probe/orders", headers=tenant_a.reviewer.headers, json={"nothing": "right"}
    )
    assert answer.status_code == 403


async def test_what_is_public_needs_no_token(http: httpx.AsyncClient):
    assert (await http.get("/dashboard/v1/probe/public")).status_code == 200
