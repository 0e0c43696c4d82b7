"""The keys to clients' accounts: unsealed here, renewed here, and handed to connectors alone.

Credentials are in no input, no result and no log: who needs them names the connection.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from pydantic import SecretStr

from activities.connectors.clock import Clock, Sleep, utc_now
from activities.connectors.errors import CredentialsRejected, PlatformBusy, safe
from activities.connectors.ports import Access, AdsConnector, Connector, Credentials, Renewed
from models.db.database import Database
from models.db.vault import Sealed, Vault
from models.errors import Unavailable
from models.queries.people import client_profiles
from models.queries.platforms import connection_keys, connections, connections_write
from models.queries.platforms.connection_keys import SealedConnection
from models.queries.platforms.connections import NotActive
from models.rules.platforms.registry import PLATFORMS, PlatformId

RENEWED_AHEAD: Final = timedelta(hours=1)
_RENEWAL_S: Final = 60.0
_LEASE: Final = timedelta(minutes=2)
"""Longer than a renewal takes, so that no second one begins while the first may still end well."""
_LOOK_AGAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An active connection, ready to be asked. `version` tells its credentials from newer ones."""

    connection_id: str
    tenant_id: str
    company_id: str
    platform: PlatformId
    connector: Connector
    access: Access
    version: str

    @property
    def ads(self) -> AdsConnector | None:
        """The connector of a platform of ads; None for others."""
        is_ads = PLATFORMS[self.platform].is_ad_platform
        return cast(AdsConnector, self.connector) if is_ads else None


class Keys:
    """Opens connections with what the vault keeps."""

    def __init__(
        self,
        database: Database,
        vault: Callable[[], Vault],
        connectors: Mapping[PlatformId, Connector],
        *,
        now: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._vault = vault
        self._connectors = connectors
        self._now = now
        self._sleep = sleep
        self._renewals = set[asyncio.Task[None]]()

    def connector(self, platform: PlatformId) -> Connector:
        """The platform's connector.

        Raises:
            Unavailable: this deployment lacks the platform's application settings.
        """
        connector = self._connectors.get(platform)
        if connector is None:
            name = PLATFORMS[platform].display_name
            raise Unavailable(f"This deployment is not set up for {name}.")
        return connector

    def seal(self, tenant_id: str, connection_id: str, credentials: Credentials) -> Sealed:
        """Seal credentials for their connection."""
        secret = SecretStr(json.dumps(dict(credentials)))
        return self._vault().seal(secret, connection_keys.place(tenant_id, connection_id))

    async def access(self, tenant_id: str, connection_id: str) -> Opened:
        """Open an active connection with its credentials of this moment.

        Raises:
            NotActive: it expired or was disconnected; nothing of it may be pulled.
            Unavailable: the deployment lacks what it takes to open it, or to ask its platform.
        """
        async with self._database.tenant(tenant_id) as db:
            found = await connection_keys.sealed(db, connection_id)
        return Opened(
            connection_id=found.id,
            tenant_id=found.tenant_id,
            company_id=found.company_id,
            platform=found.platform,
            connector=self.connector(found.platform),
            access=Access(
                account_id=found.account_id,
                currency=found.currency,
                time_zone=found.time_zone,
                credentials=self._credentials(found),
            ),
            version=found.version,
        )

    async def renew_if_due(self, tenant_id: str, connection_id: str) -> None:
        """See to it that the token lives on for an hour, where it can be renewed.

        Of all workers one renews; the others wait, and find the new token where the old one was.
        New credentials are committed before anybody uses them, also when nobody waits for them
        any more: a new token may be the end of the old one. Where the connection was given up
        meanwhile, they are dropped.

        Raises:
            NotActive: it expired or was disconnected.
            CredentialsRejected: they cannot be renewed; the connection has expired.
            PlatformError: the platform gave no new token this time.
        """
        while await self._is_due(tenant_id, connection_id):
            async with self._database.tenant(tenant_id) as db:
                until = await connection_keys.claim_renewal(db, connection_id, _LEASE)
            if until is None:
                await self._sleep(_LOOK_AGAIN_S)
                continue
            renewal = asyncio.create_task(self._renew_until(tenant_id, connection_id, until))
            self._renewals.add(renewal)
            renewal.add_done_callback(self._renewals.discard)
            return await asyncio.shield(renewal)

    async def expire(
        self, tenant_id: str, connection_id: str, message: str, *, version: str | None = None
    ) -> bool:
        """Rest a connection whose platform rejects it, and tell its delivery manager, once.

        With the `version` that was rejected, newer credentials are left alone: False then, and
        what was refused is worth another try. True where the connection is not active any more.
        """
        async with self._database.tenant(tenant_id) as db:
            found = await connections.one(db, connection_id)
            client = await client_profiles.locked(db, found.company_id)
            try:
                now = await connection_keys.sealed(db, connection_id, lock=True)
            except NotActive:
                return True
            if version is not None and now.version != version:
                return False
            await connections_write.expire(db, client, found, safe(message), at=self._now())
        return True

    async def _is_due(self, tenant_id: str, connection_id: str) -> bool:
        async with self._database.tenant(tenant_id) as db:
            return self._due(await connection_keys.sealed(db, connection_id))

    def _due(self, found: SealedConnection) -> bool:
        ends = found.token_expires_at
        return ends is not None and ends - self._now() <= RENEWED_AHEAD

    async def _renew_until(self, tenant_id: str, connection_id: str, until: datetime) -> None:
        """Renew, and give the lease back that was taken for it."""
        try:
            await self._renew(tenant_id, connection_id)
        finally:
            async with self._database.tenant(tenant_id) as db:
                await connection_keys.release_renewal(db, connection_id, until)

    async def _renew(self, tenant_id: str, connection_id: str) -> None:
        """Renew under the lease, unless somebody did between the look and the lease."""
        async with self._database.tenant(tenant_id) as db:
            was = await connection_keys.sealed(db, connection_id)
        if not self._due(was):
            return
        renewed = await self._renewed(was)
        if renewed is None:
            if was.token_expires_at is not None and was.token_expires_at <= self._now():
                raise await self._ended(was, "The access token has ended and cannot be renewed.")
            return
        new = self.seal(tenant_id, connection_id, renewed.credentials)
        async with self._database.tenant(tenant_id) as db:
            await connection_keys.store_renewed(
                db, was, new, token_expires_at=renewed.token_expires_at
            )

    async def _renewed(self, was: SealedConnection) -> Renewed | None:
        connector = self.connector(was.platform)
        try:
            async with asyncio.timeout(_RENEWAL_S):
                return await connector.renew(self._credentials(was))
        except TimeoutError:
            name = PLATFORMS[was.platform].display_name
            raise PlatformBusy(f"{name} gave no new token in time.") from None
        except CredentialsRejected as error:
            raise await self._ended(was, str(error)) from None

    async def _ended(self, was: SealedConnection, message: str) -> CredentialsRejected:
        await self.expire(was.tenant_id, was.id, message, version=was.version)
        return CredentialsRejected(message)

    def _credentials(self, found: SealedConnection) -> Credentials:
        place = connection_keys.place(found.tenant_id, found.id)
        opened = self._vault().open(found.sealed, place)
        credentials: dict[str, str] = json.loads(opened.get_secret_value())
        return credentials
