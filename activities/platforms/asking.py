"""How a step asks a platform: within the connection's quota, and with one meaning an error.

This is the only place where errors of connectors become what Temporal and workflows act on: rest
and come again, try again after a while, or give up. Their messages are made to be shown.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from temporalio.exceptions import ApplicationError

from activities.agents.heartbeats import heartbeats
from activities.connectors.clock import Clock, utc_now
from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    QuotaExhausted,
    RequestRefused,
)
from activities.platforms.keys import Keys, Opened
from models.contracts.platforms import (
    BUSY,
    NOT_ACTIVE,
    REFUSED,
    REJECTED,
    RESTING,
    ConnectionRef,
)
from models.db.database import Database
from models.queries.platforms import quota_leases
from models.queries.platforms.connections import NotActive
from models.rules.platforms import quotas

_WORTH_WAITING: Final = timedelta(seconds=5)
"""A turn that comes so soon is waited for in the step; a later one in the workflow."""
_LONGEST_PAUSE: Final = timedelta(minutes=10)


class Asking:
    """Opens connections to be asked."""

    def __init__(self, database: Database, keys: Keys, *, now: Clock = utc_now) -> None:
        self._database = database
        self._keys = keys
        self.now = now

    @asynccontextmanager
    async def open(self, of: ConnectionRef) -> AsyncIterator[Opened]:
        """Take a turn and open the connection, with a token that lives for a while.

        Raises:
            ApplicationError: of one of the types of `models.contracts.platforms`.
        """
        async with heartbeats():
            await self._take_turn(of)
            opened: Opened | None = None
            try:
                await self._keys.renew_if_due(of.tenant_id, of.connection_id)
                opened = await self._keys.access(of.tenant_id, of.connection_id)
                yield opened
            except NotActive as gone:
                raise _final(str(gone), NOT_ACTIVE) from None
            except CredentialsRejected as rejected:
                raise await self._rejected(of, opened, str(rejected)) from None
            except QuotaExhausted as exhausted:
                until = quotas.rest(self.now(), exhausted.retry_after)
                await self._rest(of, until)
                raise resting(str(exhausted), until) from None
            except PlatformBusy as busy:
                raise _again(str(busy), busy.retry_after) from None
            except RequestRefused as refused:
                raise _final(str(refused), REFUSED) from None

    async def _take_turn(self, of: ConnectionRef) -> None:
        while True:
            now = self.now()
            async with self._database.tenant(of.tenant_id) as db:
                until = await quota_leases.take_turn(
                    db, of.tenant_id, of.connection_id, of.platform, now
                )
            if until is None:
                return
            if until - now > _WORTH_WAITING:
                raise resting(f"{of.name} rests until {until:%H:%M:%S} UTC.", until)
            await asyncio.sleep((until - now).total_seconds())

    async def _rest(self, of: ConnectionRef, until: datetime) -> None:
        async with self._database.tenant(of.tenant_id) as db:
            await quota_leases.rest(db, of.tenant_id, of.connection_id, self.now(), until)

    async def _rejected(
        self, of: ConnectionRef, opened: Opened | None, message: str
    ) -> ApplicationError:
        """Expire the connection, unless its credentials were renewed since they were opened."""
        if opened is not None and not await self._keys.expire(
            of.tenant_id, of.connection_id, message, version=opened.version
        ):
            return _again(message, None)
        return _final(message, REJECTED)


def resting(message: str, until: datetime) -> ApplicationError:
    """The error of a step that must come again at that moment."""
    return ApplicationError(message, until.isoformat(), type=RESTING, non_retryable=True)


def _again(message: str, retry_after: float | None) -> ApplicationError:
    """Try again as the policy has it, or when the platform says."""
    delay = None
    if retry_after is not None:
        longest = _LONGEST_PAUSE.total_seconds()
        delay = timedelta(seconds=min(max(1.0, retry_after), longest))
    return ApplicationError(message, type=BUSY, next_retry_delay=delay)


def _final(message: str, type: str) -> ApplicationError:
    return ApplicationError(message, type=type, non_retryable=True)
