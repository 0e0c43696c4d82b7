"""Calls that several tests of Stripe make."""

import httpx

from tests.api.conftest import TenantPeople


def url(company_id: str, path: str = "link") -> str:
    return f"/api/clients/{company_id}/stripe/{path}"


async def link(
    http: httpx.AsyncClient, people: TenantPeople, company_id: str, customer_id: str
) -> httpx.Response:
    return await http.post(
        url(company_id), json={"stripe_customer_id": customer_id}, headers=people.member.headers
    )
