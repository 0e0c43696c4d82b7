"""A tenant's Stripe account, connected by an operator: its key comes in by a pipe or a variable.

Never as an argument, which every process on the machine can read and shells remember.
"""

import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Annotated, Final, NoReturn, TypeVar

import typer
from pydantic import SecretStr

from activities.ports import Billing, VendorBusy
from models.contracts.actors import SYSTEM
from models.db.database import Database
from models.db.vault import vault
from models.errors import DomainError
from models.queries import tenants
from models.queries.people import stripe_accounts
from models.settings import Settings
from workers.data_folder import DataDir, settings_of

KEY_VARIABLE: Final = "STRIPE_API_KEY"

app = typer.Typer(help="The Stripe account of a tenant.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant's id.")]
T = TypeVar("T")


@app.command()
def connect(tenant: Tenant, data_dir: DataDir = None) -> None:
    """Connect an account: its restricted key is read from STRIPE_API_KEY or standard input.

    The key needs to read customers, invoices, credit notes, charges and refunds, and balance
    transactions with their sources. It is tried at Stripe, and kept sealed.
    """
    from workers.billing import build_billing

    here = settings_of(data_dir)
    name = _run(connected(here, build_billing(here), tenant, _key()))
    typer.echo(f"Connected: {name or 'an account that does not tell its name'}")


@app.command()
def show(tenant: Tenant, data_dir: DataDir = None) -> None:
    """Show which account is connected, and since when; 1 if none is."""
    typer.echo(_run(_shown(settings_of(data_dir), tenant)))


@app.command()
def disconnect(tenant: Tenant, data_dir: DataDir = None) -> None:
    """Forget the account and its key; links to customers stay, with what was imported."""
    if not _run(_disconnected(settings_of(data_dir), tenant)):
        _fail("The tenant has no connected Stripe account.")
    typer.echo("Disconnected.")


async def connected(
    settings: Settings, billing: Billing, tenant_id: str, key: SecretStr
) -> str | None:
    """Try the key, seal it, and keep it; answers the account's name."""
    database = Database(settings.database_url, 1)
    try:
        async with database.tenant(tenant_id) as db:
            await tenants.require(db)
        name = await billing.account(key).verify()
        sealed = vault(settings).seal(key, stripe_accounts.place(tenant_id))
        async with database.tenant(tenant_id) as db:
            await stripe_accounts.connect(
                db, tenant_id, sealed, name=name, actor=SYSTEM, at=datetime.now(UTC)
            )
    finally:
        await billing.close()
        await database.close()
    return name


async def _shown(settings: Settings, tenant_id: str) -> str:
    database = Database(settings.database_url, 1)
    try:
        async with database.tenant(tenant_id) as db:
            row = await stripe_accounts.one(db)
    finally:
        await database.close()
    if row is None:
        _fail("The tenant has no connected Stripe account.")
    since = f"{row.connected_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{row.name or 'An account'}, connected {since}, sealed with the key {row.key_id}"


async def _disconnected(settings: Settings, tenant_id: str) -> bool:
    database = Database(settings.database_url, 1)
    try:
        async with database.tenant(tenant_id) as db:
            return await stripe_accounts.disconnect(db, tenant_id, actor=SYSTEM)
    finally:
        await database.close()


def _key() -> SecretStr:
    given = os.environ.get(KEY_VARIABLE, "")
    if not given:
        given = getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not given.strip():
        _fail(f"No key: set {KEY_VARIABLE}, or give it on standard input.")
    return SecretStr(given.strip())


def _run(work: Awaitable[T]) -> T:
    async def awaited() -> T:
        return await work

    try:
        return asyncio.run(awaited())
    except (DomainError, VendorBusy) as error:
        _fail(str(error))


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(1)
