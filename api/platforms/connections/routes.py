"""Connections: a client's accounts on platforms, tried out, kept sealed, renamed, given up.

Platforms are asked within the request: who enters credentials waits for the answer, and they do
not belong into a workflow's history. No transaction is open meanwhile.
"""

from datetime import UTC, datetime

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.connectors.ports import Account, Credentials
from activities.platforms import trials
from activities.platforms.trials import Failed
from api.http.auth import Principal
from api.http.commands import Commands
from api.http.db import ReadDb, WriteDb
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.problems import problems
from api.http.services import Given, Services
from api.http.wire import UlidPath
from api.people.rights import ClientEditor, ClientViewer
from api.platforms.connections.pulls import first_sync
from api.platforms.connections.schemas import (
    LONGEST_NAME,
    ConnectedOut,
    ConnectionChangedOut,
    ConnectionIn,
    ConnectionNameIn,
    ConnectionOut,
    ConnectionsOut,
    ConnectionTestOut,
)
from models.errors import Invalid, NotFound, ProblemItem
from models.queries.people import client_profiles
from models.queries.platforms import connections, connections_write
from models.queries.platforms.connections import Connection, NotActive
from models.queries.platforms.connections_write import NewConnection
from models.rules.platforms import credentials as rules
from models.rules.platforms.registry import PLATFORMS, Platform, PlatformId

router = APIRouter(
    prefix="/{company_id}/connections", tags=["Connections"], route_class=IdempotentRoute
)

_NO_OTHER = "There is no such client, or the connection is not one of its."


@router.get("", summary="List connections", responses=problems(404))
async def list_connections(
    company_id: UlidPath, viewer: ClientViewer, db: ReadDb
) -> ConnectionsOut:
    """List the client's connections, disconnected ones last."""
    await client_profiles.require(db, company_id)
    found = await connections.of_client(db, company_id)
    return ConnectionsOut(connections=[ConnectionOut.model_validate(one) for one in found])


@router.post(
    "",
    status_code=201,
    summary="Connect a platform",
    responses=problems(
        400,
        404,
        409,
        503,
        why={
            400: "The platform is unknown, or the credentials are malformed or do not work.",
            409: "The client is connected to the platform already.",
            503: "This deployment lacks the application settings of the platform.",
        },
    ),
)
async def create_connection(
    company_id: UlidPath,
    wanted: ConnectionIn,
    editor: ClientEditor,
    key: IdempotencyKey,
    services: Given,
    commands: Commands,
) -> ConnectedOut:
    """Try the credentials at the platform and, where they work, keep them sealed.

    Nothing is stored otherwise. The first sync begins in the background; where it cannot begin
    now, the daily one takes its place.
    """
    connection_id = key.derived_id("connection")
    async with services.database.tenant(editor.tenant_id) as db:
        await client_profiles.require(db, company_id)
        made = await _made_before(db, company_id, connection_id)
    if made is None:
        platform = PLATFORMS[wanted.platform]
        given = rules.checked(platform, wanted.credentials, services.settings.platform_settings)
        async with services.database.tenant(editor.tenant_id) as db:
            await _refuse_second(db, company_id, platform.id)
        account = await _tried(services, platform, given)
        new = _new(services, editor, connection_id, platform, given, account, wanted.display_name)
        async with services.database.tenant(editor.tenant_id) as db:
            client = await client_profiles.locked(db, company_id)
            made = await connections_write.insert(
                db, client, new, actor=editor.actor, at=datetime.now(UTC)
            )
    await first_sync(commands, editor.tenant_id, company_id)
    return ConnectedOut(connection=ConnectionOut.model_validate(made))


@router.patch(
    "/{connection_id}", summary="Rename a connection", responses=problems(404, why={404: _NO_OTHER})
)
async def rename_connection(
    company_id: UlidPath,
    connection_id: UlidPath,
    wanted: ConnectionNameIn,
    editor: ClientEditor,
    db: WriteDb,
) -> ConnectionChangedOut:
    """Give the connection another name."""
    await client_profiles.require(db, company_id)
    found = await connections.locked(db, connection_id, company_id=company_id)
    await connections_write.rename(
        db, found, wanted.display_name, actor=editor.actor, at=datetime.now(UTC)
    )
    return ConnectionChangedOut()


@router.delete(
    "/{connection_id}", summary="Disconnect", responses=problems(404, why={404: _NO_OTHER})
)
async def disconnect_connection(
    company_id: UlidPath, connection_id: UlidPath, editor: ClientEditor, db: WriteDb
) -> ConnectionChangedOut:
    """Forget the credentials; what was synced stays. Doing it again changes nothing."""
    await client_profiles.locked(db, company_id)
    found = await connections.locked(db, connection_id, company_id=company_id)
    await connections_write.disconnect(db, found, actor=editor.actor, at=datetime.now(UTC))
    return ConnectionChangedOut()


@router.post(
    "/{connection_id}/test",
    summary="Test a connection",
    responses=problems(404, why={404: f"{_NO_OTHER} Or it is not active."}),
)
async def test_connection(
    company_id: UlidPath, connection_id: UlidPath, editor: ClientEditor, services: Given
) -> ConnectionTestOut:
    """Ask the platform with the stored credentials; where it rejects them the connection expires.

    A success clears the error of the last sync.
    """
    async with services.database.tenant(editor.tenant_id) as db:
        await client_profiles.require(db, company_id)
        await connections.one(db, connection_id, company_id=company_id)
    try:
        told = await trials.of_stored(services.keys, editor.tenant_id, connection_id)
    except NotActive:
        raise NotFound("The client has no such active connection.") from None
    if isinstance(told, Failed):
        return ConnectionTestOut(success=False, error=told.message)
    async with services.database.tenant(editor.tenant_id) as db:
        await connections_write.note_account(
            db,
            connection_id,
            time_zone=told.time_zone,
            currency=told.currency,
            at=datetime.now(UTC),
            clears_error=True,
        )
    return ConnectionTestOut(
        success=True, account_id=told.account_id, display_name=told.display_name
    )


async def _made_before(
    db: AsyncConnection, company_id: str, connection_id: str
) -> Connection | None:
    """What an earlier request with the same idempotency key has made, whose answer was lost."""
    try:
        return await connections.one(db, connection_id, company_id=company_id)
    except NotFound:
        return None


async def _refuse_second(db: AsyncConnection, company_id: str, platform: PlatformId) -> None:
    if any(one.platform is platform for one in await connections.active(db, company_id)):
        raise connections_write.taken(platform)


async def _tried(services: Services, platform: Platform, given: Credentials) -> Account:
    told = await trials.of_new(services.keys, platform.id, given)
    if isinstance(told, Failed):
        item = ProblemItem(location="body.credentials", message=told.message)
        raise Invalid(f"The connection to {platform.display_name} does not work.", item)
    return told


def _new(
    services: Services,
    editor: Principal,
    connection_id: str,
    platform: Platform,
    given: Credentials,
    account: Account,
    display_name: str | None,
) -> NewConnection:
    return NewConnection(
        id=connection_id,
        platform=platform.id,
        account_id=rules.account_id(platform, given) or account.account_id,
        display_name=display_name or (account.display_name or "")[:LONGEST_NAME] or None,
        store_url=platform.store_url(given),
        time_zone=account.time_zone,
        currency=account.currency,
        scopes=account.scopes,
        token_expires_at=account.token_expires_at,
        sealed=services.keys.seal(editor.tenant_id, connection_id, given),
    )
