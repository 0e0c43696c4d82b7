"""Keyset paging: `Paging` reads limit and cursor, asks for one row more, and makes the page.

A handler reads `limit=paging.fetch, after=paging.after` and returns `paging.answer(rows, write)`.

A cursor is opaque, signed, and bound to tenant, address, filters and order: everything that the
route knows of the query except limit and cursor.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Protocol

import orjson
from fastapi import Depends, Query, Request
from starlette.responses import Response

from api.http.auth import caller
from api.http.routing import HOLDS_PAGE, facts_of, marks
from api.http.rows import Writer
from api.http.services import services_of
from models.errors import Invalid, ProblemItem
from models.secret_files import kept_secret
from models.settings import Settings

Position = tuple[datetime, str]

_MAC_BYTES: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNBOUND: Final = frozenset({"limit", "cursor"})


class Listable(Protocol):
    """A row that a cursor can point at."""

    @property
    def id(self) -> str: ...
    @property
    def created_on(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Cursors:
    """Writes and reads the cursors of one list: of one address, its filters and its order."""

    secret: bytes
    binding: bytes

    def write(self, position: Position) -> str:
        """Point behind this row."""
        at, row_id = position
        # Microseconds: two rows of one millisecond are two positions.
        payload = f"{(at - _EPOCH) // _MICROSECOND}.{row_id}".encode()
        return base64.urlsafe_b64encode(self._mac(payload) + payload).rstrip(b"=").decode()

    def read(self, cursor: str) -> Position:
        """The row that the cursor points behind; raises for one that was not made here."""
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if not hmac.compare_digest(mac, self._mac(payload)):
                raise ValueError("not made here")
            microseconds, row_id = payload.decode("ascii").split(".")
            return _EPOCH + int(microseconds) * _MICROSECOND, row_id
        except ValueError as error:
            item = ProblemItem(
                location="query.cursor", message="Not a cursor of this list", value=cursor
            )
            raise Invalid("The cursor does not belong to this list.", item) from error

    def _mac(self, payload: bytes) -> bytes:
        keyed = hashlib.blake2b(self.binding, key=self.secret, digest_size=_MAC_BYTES)
        keyed.update(b"\x00" + payload)
        return keyed.digest()


@dataclass(frozen=True, slots=True)
class PageWanted:
    """Which page the caller wants; `fetch` is one row more than it, to know whether more follow."""

    limit: int
    after: Position | None
    cursors: Cursors

    @property
    def fetch(self) -> int:
        return self.limit + 1

    def answer(self, rows: Sequence[Listable], write: Writer) -> Response:
        """Make the page of what `fetch` brought; `write` is of `api/http/rows.py`.

        The route declares `response_model=Page[…]` with the schema that `write` is made from.
        """
        shown, more = rows[: self.limit], len(rows) > self.limit
        page = {
            "data": list(map(write, shown)),
            "pagination": {
                "limit": self.limit,
                "nextCursor": self._next(shown) if more else None,
                "hasMore": more,
            },
        }
        return Response(orjson.dumps(page), media_type="application/json")

    def _next(self, shown: Sequence[Listable]) -> str:
        return self.cursors.write((shown[-1].created_on, shown[-1].id))


Limit = Annotated[int, Query(ge=1, le=100, description="How many a page holds.")]
LongLimit = Annotated[int, Query(ge=1, le=500, description="How many a page holds.")]
Cursor = Annotated[
    str | None,
    Query(max_length=500, description="nextCursor of the page before, with the same filters."),
]


@marks(HOLDS_PAGE)
async def _paging(request: Request, limit: Limit = 25, cursor: Cursor = None) -> PageWanted:
    return _wanted(request, limit, cursor)


@marks(HOLDS_PAGE)
async def _long_paging(
    request: Request, limit: LongLimit = 25, cursor: Cursor = None
) -> PageWanted:
    return _wanted(request, limit, cursor)


def _wanted(request: Request, limit: int, cursor: str | None) -> PageWanted:
    known = facts_of(request).query_names
    asked = sorted(
        pair
        for pair in request.query_params.multi_items()
        if pair[0] not in _UNBOUND and pair[0] in known
    )
    binding = hashlib.sha256(
        repr((caller(request).tenant_id, request.scope["path"], asked)).encode()
    ).digest()
    cursors = Cursors(services_of(request).cursor_secret, binding)
    return PageWanted(limit, cursors.read(cursor) if cursor is not None else None, cursors)


Paging = Annotated[PageWanted, Depends(_paging)]
"""Up to 100 a page."""
LongPaging = Annotated[PageWanted, Depends(_long_paging)]
"""Up to 500 a page: logs and the audit log."""


def cursor_secret(settings: Settings) -> bytes:
    """What signs cursors and keys hashes of bodies: from the settings, or a file made once."""
    if settings.cursor_secret is not None:
        return hashlib.sha256(settings.cursor_secret.get_secret_value().encode()).digest()
    return kept_secret(settings.data_dir / "cursor_secret")
