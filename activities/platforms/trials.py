"""Trying credentials out within a request: one cheap read, once, and not for long.

Source: clients/connections.yaml, rules.test.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from activities.connectors.errors import CredentialsRejected, PlatformBusy, PlatformError, safe
from activities.connectors.ports import Account, Credentials
from activities.platforms.keys import Keys, Opened
from models.rules.platforms.credentials import secrets_of
from models.rules.platforms.registry import PLATFORMS, PlatformId

PATIENCE_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Why it did not work, in words that may be shown."""

    message: str


async def of_new(
    keys: Keys, platform: PlatformId, credentials: Credentials, *, patience: float = PATIENCE_S
) -> Account | Failed:
    """Try credentials that are not stored yet.

    Raises:
        Unavailable: this deployment lacks the platform's application settings.
    """
    connector = keys.connector(platform)
    try:
        async with asyncio.timeout(patience):
            return await connector.verify(credentials)
    except (PlatformError, TimeoutError) as error:
        return Failed(message=_said(platform, error, credentials))


async def of_stored(
    keys: Keys, tenant_id: str, connection_id: str, *, patience: float = PATIENCE_S
) -> Account | Failed:
    """Try an active connection; one whose platform rejects it expires.

    Raises:
        NotActive: it is not active, or not any more.
        Unavailable: the deployment lacks what it takes to open it, or to ask its platform.
    """
    opened = await keys.access(tenant_id, connection_id)
    try:
        async with asyncio.timeout(patience):
            return await _asked(keys, opened)
    except (PlatformError, TimeoutError) as error:
        return Failed(message=_said(opened.platform, error, opened.access.credentials))


async def _asked(keys: Keys, opened: Opened) -> Account:
    """Ask with a token that lives on; one that was renewed meanwhile is asked with once more."""
    await keys.renew_if_due(opened.tenant_id, opened.connection_id)
    opened = await keys.access(opened.tenant_id, opened.connection_id)
    try:
        return await opened.connector.verify(opened.access.credentials)
    except CredentialsRejected as error:
        said = _said(opened.platform, error, opened.access.credentials)
        if await keys.expire(opened.tenant_id, opened.connection_id, said, version=opened.version):
            raise CredentialsRejected(said) from None
    newer = await keys.access(opened.tenant_id, opened.connection_id)
    return await newer.connector.verify(newer.access.credentials)


def _said(
    platform: PlatformId, error: PlatformError | TimeoutError, credentials: Credentials
) -> str:
    """What the platform said, without the secrets, in whatever writing it repeats them."""
    if isinstance(error, TimeoutError):
        error = PlatformBusy(f"{PLATFORMS[platform].display_name} did not answer in time.")
    secrets = secrets_of(platform, credentials)
    quoted = [quote(one, safe="") for one in secrets]
    escaped = [json.dumps(one)[1:-1] for one in secrets]
    return safe(str(error), {*secrets, *quoted, *escaped})
