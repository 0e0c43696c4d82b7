"""The rotation of master keys: every sealed row is wrapped with the newest, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from models.db.database import Database
from models.db.vault import Sealed, Vault, vault
from models.errors import Unavailable
from models.queries import sealed_rows, tenants
from models.queries.sealed_rows import SEALED_TABLES, SealedRow, SealedTable
from models.settings import Settings

_log = structlog.get_logger(__name__)

_BATCH: Final = 50
"""Rows a transaction: whoever renews one of them waits no longer than that takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the rows of a table: wrapped anew, or left because they do not open."""

    rewrapped: int = 0
    current: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.rewrapped} wrapped anew, {self.current} were, {self.failed} do not open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What became of all rows, by what they are."""

    key_id: str
    tallies: Mapping[str, Tally]

    @property
    def is_complete(self) -> bool:
        """Whether the older master keys have done their service."""
        return not any(tally.failed for tally in self.tallies.values())

    def __str__(self) -> str:
        lines = [f"{title}: {tally}" for title, tally in self.tallies.items()]
        return "\n".join([f"Master key {self.key_id}", *lines])


async def rotated(settings: Settings) -> Rotation:
    """Wrap what is sealed in this deployment with its newest master key."""
    keys = vault(settings)
    database = Database(settings.database_url, 1)
    try:
        async with database.system() as db:
            tenant_ids = await tenants.all_ids(db)
        tallies = {of.title: Tally() for of in SEALED_TABLES}
        for tenant_id in tenant_ids:
            for of in SEALED_TABLES:
                found = await _of_tenant(database, keys, of, tenant_id)
                tallies[of.title] = _sum(tallies[of.title], found)
    finally:
        await database.close()
    return Rotation(key_id=keys.newest_key_id, tallies=tallies)


async def _of_tenant(database: Database, keys: Vault, of: SealedTable, tenant_id: str) -> Tally:
    tally, after = Tally(), ""
    while True:
        async with database.tenant(tenant_id) as db:
            rows = await sealed_rows.wrapped_otherwise(
                db, of, tenant_id, keys.newest_key_id, after=after, limit=_BATCH
            )
            if not rows:
                there = await sealed_rows.count(db, of)
                current = max(0, there - tally.rewrapped - tally.failed)
                return replace(tally, current=current)
            wrapped = [(row.row, _rewrapped(keys, of, row)) for row in rows]
            done = [(id, sealed) for id, sealed in wrapped if sealed is not None]
            for id, sealed in done:
                await sealed_rows.rewrap(db, of, id, sealed)
        # Counted once it is committed.
        tally = _sum(tally, Tally(rewrapped=len(done), failed=len(wrapped) - len(done)))
        after = rows[-1].row


def _rewrapped(keys: Vault, of: SealedTable, row: SealedRow) -> Sealed | None:
    try:
        return keys.rewrap(row.sealed, row.place)
    except Unavailable as error:
        _log.error(
            "keys.not_rewrapped", kind=of.title, row=row.row, key_id=row.sealed.key_id,
            reason=error.detail,
        )  # fmt: skip
        return None


def _sum(one: Tally, other: Tally) -> Tally:
    return Tally(
        rewrapped=one.rewrapped + other.rewrapped,
        current=one.current + other.current,
        failed=one.failed + other.failed,
    )
