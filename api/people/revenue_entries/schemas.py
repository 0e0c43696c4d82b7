"""Entries of the revenue ledger on the wire."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.http.bodies import Day
from api.http.rows import writer
from api.http.wire import Number, Second, Snake
from models.queries.people.revenue_entries import EntryRow
from models.rules.clients.revenue_entries import RevenueStatus, SentEntry
from models.rules.clients.vocabulary import RevenueKind, RevenueOrigin

_SENT: dict[str, Any] = {
    "origin": "nucleus",
    "external_id": "INV-2026-0114",
    "kind": "invoice",
    "status": "issued",
    "date": "2026-02-14",
    "amount": 21500,
    "currency": "EUR",
    "amount_in_reporting_currency": 23750,
    "stripe_invoice_id": None,
}
_ENTRY: dict[str, Any] = {
    "id": "01K9REV0000000000000000001",
    "origin": "nucleus",
    "external_id": "INV-2026-0114",
    "kind": "invoice",
    "date": "2026-02-14",
    "amount": 21500,
    "currency": "EUR",
    "amount_in_reporting_currency": 23750,
    "stripe_invoice_id": None,
    "created_at": "2026-02-15T06:00:00Z",
    "updated_at": "2026-02-15T06:00:00Z",
}

_Amount = Annotated[Number, Field(max_digits=18, decimal_places=6)]


class LedgerOrigin(StrEnum):
    """The ledgers that send entries; those of Stripe are imported."""

    NUCLEUS = "nucleus"
    PRODUCTIVE = "productive"


class RevenueEntryIn(Snake):
    """An invoice, credit note or refund of a ledger."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SENT]})

    origin: LedgerOrigin
    external_id: str = Field(
        min_length=1, max_length=200, description="Its id there; sent again it changes the entry."
    )
    kind: RevenueKind
    status: RevenueStatus = Field(
        RevenueStatus.ISSUED, description="A draft or void document is not kept, or no longer."
    )
    date: Day
    amount: _Amount = Field(
        description="Net of tax. Credit notes and refunds take away, however they are signed."
    )
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")
    amount_in_reporting_currency: _Amount | None = Field(
        None, description="Without it an entry in another currency counts nowhere."
    )
    stripe_invoice_id: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        None, description="The Stripe invoice that this nucleus invoice stands in for."
    )

    def sent(self) -> SentEntry:
        """The entry as the rules know it."""
        return SentEntry(
            origin=RevenueOrigin(self.origin),
            external_id=self.external_id,
            kind=self.kind,
            status=self.status,
            dated=self.date,
            amount=self.amount,
            currency=self.currency,
            in_reporting=self.amount_in_reporting_currency,
            stripe_invoice_id=self.stripe_invoice_id,
        )


class RevenueEntriesIn(Snake):
    """Entries to be taken in, all of them or none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"entries": [_SENT]}]})

    entries: list[RevenueEntryIn] = Field(min_length=1, max_length=500)


class TakenInOut(Snake):
    """What became of the entries."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {"created": 12, "updated": 1, "unchanged": 40, "removed": 0, "not_counted": 2}
            ]
        },
    )

    created: int
    updated: int
    unchanged: int
    removed: int = Field(description="Withdrawn ones, and those of Stripe that were replaced.")
    not_counted: int = Field(
        description="Kept, and counted nowhere: without an amount in the reporting currency."
    )


class RevenueEntryOut(Snake):
    """An entry of the ledger; what takes away from revenue is below nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ENTRY]})

    id: str
    origin: RevenueOrigin
    external_id: str
    kind: RevenueKind
    date: Day
    amount: Number
    currency: str
    amount_in_reporting_currency: Number | None = Field(
        description="What it counts; null: it counts nowhere."
    )
    stripe_invoice_id: str | None
    created_at: Second
    updated_at: Second


class RevenueEntriesOut(Snake):
    """A page of the ledger, newest first; `next_cursor` is null on the last one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"entries": [_ENTRY], "next_cursor": None}]}
    )

    entries: list[RevenueEntryOut]
    next_cursor: str | None


class EntryDeletedOut(Snake):
    """The entry is gone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ok": True}]})

    ok: Literal[True] = True


def _counted(row: EntryRow) -> float | None:
    return None if row.amount is None else float(row.amount)


write_entry = writer(
    RevenueEntryOut,
    date=lambda row: row.counted_on.isoformat(),
    amount=lambda row: float(row.original_amount),
    currency=lambda row: row.original_currency,
    amount_in_reporting_currency=_counted,
)
