"""A Stripe that speaks the wire format of its API: what the connector reads, over real HTTP.

`localstripe` has neither the search for customers nor credit notes, so this stands in for it. It is
as strict as Stripe is: unknown parameters, wrong keys and versions and too deep expansions are
refused; lists are newest first and come in pages.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.stripe_wire import (
    Object,
    Refused,
    below_data,
    check,
    clauses_of,
    query_of,
    written,
)

KEY: Final = "rk_test_51PlantedSecretKeyOfTheTenant0000"
API_VERSION: Final = "2026-10-28.endive"
_LIST: Final = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})
_INLINE: Final = 10
"""How many of a list within an object are sent with it."""


@dataclass(frozen=True)
class Call:
    """A request as it came in."""

    method: str
    path: str
    query: Object
    headers: dict[str, str]


@dataclass
class FakeStripe:
    """One account; tests fill it, and say what fails."""

    key: str = KEY
    page_limit: int = 100
    """The most that a page holds, whatever is asked for."""
    denied: set[str] = field(default_factory=set)
    """Kinds of objects that the key may not read."""
    before: Callable[[Call], Response | None] | None = None
    """May answer instead, to fail."""
    calls: list[Call] = field(default_factory=list)
    objects: dict[str, list[Object]] = field(default_factory=dict)
    now: datetime = datetime(2026, 3, 10, 12, tzinfo=UTC)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def app(self) -> Starlette:
        paths = {
            "/v1/account": self._account,
            "/v1/customers/search": self._search,
            "/v1/{kind}": self._list,
            "/v1/{kind}/{id}": self._retrieve,
        }
        return Starlette(routes=[Route(path, self._guarded(do)) for path, do in paths.items()])

    def paths(self) -> list[str]:
        return [call.path for call in self.calls]

    # What is in the account

    def customer(self, name: str | None = "Northwind", email: str | None = None, **values: Any):
        return self._add(
            "customers", "cus", object="customer", name=name, email=email,
            currency=values.pop("currency", "usd"), **values,
        )  # fmt: skip

    def invoice(
        self,
        customer: Object,
        total: int,
        *,
        tax: int = 0,
        paid: int | None = None,
        currency: str = "usd",
        paid_at: datetime | None = None,
        status: str = "paid",
        exchange: tuple[str, int] | None = None,
        off_stripe: bool = False,
        parts: int = 1,
        **values: Any,
    ) -> Object:
        """A paid invoice; `exchange` is what the whole of it became on the account."""
        amount = total if paid is None else paid
        at = paid_at or self.now
        made = self._add(
            "invoices", "in", object="invoice", customer=customer["id"], currency=currency,
            total=total, total_excluding_tax=total - tax, amount_paid=amount, status=status,
            created=values.pop("created", at), post_payment_credit_notes_amount=0,
            status_transitions={"paid_at": int(at.timestamp()) if status == "paid" else None},
            total_taxes=[{"amount": tax}] if tax else [], **values,
        )  # fmt: skip
        if amount and status == "paid":
            self._pay(made, amount, at, exchange, off_stripe=off_stripe, parts=parts)
        return made

    def _pay(
        self,
        invoice: Object,
        amount: int,
        at: datetime,
        exchange: tuple[str, int] | None,
        *,
        off_stripe: bool,
        parts: int,
    ) -> None:
        sizes = [amount // parts + (number < amount % parts) for number in range(parts)]
        for size in sizes:
            payment: Object = {"type": "payment_record", "payment_record": self._id("pr")}
            if not off_stripe:
                booked = None
                if exchange is not None:
                    booked = (exchange[0], exchange[1] * size // amount)
                charge = self.charge(invoice["customer"], size, invoice["currency"], at, booked)
                payment = {"type": "payment_intent", "payment_intent": charge["payment_intent"]}
            self._add(
                "invoice_payments", "inpay", object="invoice_payment", invoice=invoice["id"],
                amount_paid=size, currency=invoice["currency"], status="paid", payment=payment,
                created=at,
            )  # fmt: skip

    def charge(
        self,
        customer_id: str,
        amount: int,
        currency: str,
        at: datetime,
        booked: tuple[str, int] | None = None,
    ) -> Object:
        became, as_much = booked or (currency, amount)
        return self._add(
            "charges", "ch", object="charge", customer=customer_id, amount=amount,
            currency=currency, status="succeeded", payment_intent=self._id("pi"), created=at,
            balance_transaction=self._booked(became, as_much)["id"],
        )  # fmt: skip

    def refund(
        self,
        invoice: Object,
        amount: int,
        *,
        booked: tuple[str, int] | None = None,
        part: int = 0,
        **values: Any,
    ) -> Object:
        """Give back some of a payment of the invoice."""
        charge = self.charges_of(invoice)[part]
        became, as_much = booked or (charge["currency"], amount)
        return self._add(
            "refunds", "re", object="refund", charge=charge["id"], amount=amount,
            payment_intent=charge["payment_intent"], currency=charge["currency"],
            customer=invoice["customer"], status=values.pop("status", "succeeded"),
            balance_transaction=self._booked(became, -as_much)["id"], **values,
        )  # fmt: skip

    def credit_note(
        self,
        invoice: Object,
        total: int,
        *,
        tax: int = 0,
        before_payment: int = 0,
        refunds: Iterable[tuple[Object, int]] = (),
        **values: Any,
    ) -> Object:
        after = total - before_payment
        invoice["post_payment_credit_notes_amount"] += after
        return self._add(
            "credit_notes", "cn", object="credit_note", invoice=invoice["id"], total=total,
            customer=invoice["customer"], currency=invoice["currency"],
            total_excluding_tax=total - tax, amount=total, post_payment_amount=after,
            pre_payment_amount=before_payment, status=values.pop("status", "issued"),
            refunds=[
                {"amount_refunded": amount, "refund": one["id"], "type": "refund"}
                for one, amount in refunds
            ],
            **values,
        )  # fmt: skip

    def charges_of(self, invoice: Object) -> list[Object]:
        intents = [
            one["payment"].get("payment_intent")
            for one in self.objects.get("invoice_payments", [])
            if one["invoice"] == invoice["id"]
        ]
        charges = {one["payment_intent"]: one for one in self.objects.get("charges", [])}
        return [charges[intent] for intent in intents if intent in charges]

    def delete(self, customer: Object) -> None:
        customer["deleted"] = True

    def _booked(self, currency: str, amount: int) -> Object:
        return self._add(
            "balance_transactions", "txn", object="balance_transaction", amount=amount,
            currency=currency,
        )  # fmt: skip

    def _add(self, kind: str, prefix: str, **values: Any) -> Object:
        # One second apart, so that the order is one.
        created = values.pop("created", None)
        if created is None:
            self.now += timedelta(seconds=1)
            created = self.now
        if isinstance(created, datetime):
            created = int(created.timestamp())
        made = {"id": self._id(prefix), "created": created, "livemode": False, **values}
        self.objects.setdefault(kind, []).append(made)
        return made

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):014d}"

    # How it is asked

    def _guarded(self, do: Callable[[Request, Object], Object]) -> Callable[..., Any]:
        async def answer(request: Request) -> Response:
            call = Call(request.method, request.url.path, query_of(request), dict(request.headers))
            self.calls.append(call)
            if self.before is not None and (early := self.before(call)) is not None:
                return early
            try:
                self._check(request)
                return written(do(request, call.query))
            except Refused as refused:
                return refused.response

        return answer

    def _check(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            shown = f"{given[:8]}{'*' * 12}{given[-4:]}"
            raise Refused(401, "invalid_request_error", f"Invalid API Key provided: {shown}")
        if request.headers.get("stripe-version") != API_VERSION:
            raise Refused(400, "invalid_request_error", "Invalid Stripe API version")
        kind = request.path_params.get("kind", request.url.path.split("/")[2])
        if kind in self.denied:
            message = (
                f"The provided key '{self.key[:8]}*********{self.key[-4:]}' does not have the "
                f"required permissions for this endpoint on account 'acct_1'. Having the "
                f"'rak_{kind.removesuffix('s')}_read' permission would allow this request."
            )
            raise Refused(403, "invalid_request_error", message)

    def _account(self, _: Request, query: Object) -> Object:
        return {
            "id": "acct_1", "object": "account", "business_profile": {"name": "Aster Agency"},
        }  # fmt: skip

    def _search(self, _: Request, query: Object) -> Object:
        check(query, {"query", "limit", "page", "expand"})
        clauses = clauses_of(query["query"])
        found = [
            one
            for one in self._newest("customers")
            if not one.get("deleted")
            and any(text in (one.get(name) or "").casefold() for name, text in clauses)
        ]
        limit = int(query.get("limit", 10))
        return {
            "object": "search_result", "url": "/v1/customers/search", "data": found[:limit],
            "has_more": len(found) > limit, "next_page": None,
        }  # fmt: skip

    def _retrieve(self, request: Request, query: Object) -> Object:
        check(query, {"expand"})
        kind, wanted = request.path_params["kind"], request.path_params["id"]
        found = next((one for one in self.objects.get(kind, []) if one["id"] == wanted), None)
        if found is None:
            message = f"No such {kind.removesuffix('s')}: '{wanted}'"
            raise Refused(404, "invalid_request_error", message, code="resource_missing")
        if found.get("deleted"):
            return {"id": wanted, "object": found["object"], "deleted": True}
        return self._expanded(found, query)

    def _list(self, request: Request, query: Object) -> Object:
        kind = request.path_params["kind"]
        if kind not in _FILTERS:
            raise Refused(404, "invalid_request_error", f"Unrecognized request URL ({kind})")
        check(query, _LIST | set(_FILTERS[kind]))
        rows = [one for one in self._newest(kind) if self._fits(kind, one, query)]
        if (after := query.get("starting_after")) is not None:
            ids = [one["id"] for one in self._newest(kind)]
            if after not in ids:
                raise Refused(400, "invalid_request_error", f"No such {kind}: '{after}'")
            behind = set(ids[ids.index(after) + 1 :])
            rows = [one for one in rows if one["id"] in behind]
        limit = min(int(query.get("limit", 10)), self.page_limit)
        inner = {**query, "expand": below_data(query.get("expand", []))}
        return {
            "object": "list", "url": request.url.path, "has_more": len(rows) > limit,
            "data": [self._expanded(one, inner) for one in rows[:limit]],
        }  # fmt: skip

    def _fits(self, kind: str, one: Object, query: Object) -> bool:
        if one.get("deleted"):
            return False
        created = query.get("created", {})
        if one["created"] < int(created.get("gte", 0)):
            return False
        for name, path in _FILTERS[kind].items():
            if name in query:
                wanted, has = query[name], cast(Any, one)
                if isinstance(wanted, dict):
                    wanted = wanted[wanted["type"]]
                for step in path.split("."):
                    has = has.get(step) if isinstance(has, dict) else has
                if has != wanted:
                    return False
        return True

    def _newest(self, kind: str) -> list[Object]:
        made = self.objects.get(kind, [])
        return sorted(reversed(made), key=lambda one: -int(one["created"]))

    def _expanded(self, one: Object, query: Object) -> Object:
        shown = dict(one)
        for path in query.get("expand", []):
            self._expand(shown, path.split("."))
        return shown

    def _expand(self, one: Object, path: list[str]) -> None:
        name, *rest = path
        if name in ("payments", "refunds") and (name, one["object"]) != ("refunds", "credit_note"):
            if not isinstance(one.get(name), dict):
                one[name] = self._within(one, name)
            if rest:
                for inner in one[name]["data"]:
                    self._expand(inner, rest[1:])
        elif name == "balance_transaction":
            if isinstance(one.get(name), str):
                wanted = one[name]
                one[name] = next(
                    found for found in self.objects["balance_transactions"]
                    if found["id"] == wanted
                )  # fmt: skip
        else:
            raise Refused(
                400, "invalid_request_error", f"This property cannot be expanded ({name})"
            )

    def _within(self, one: Object, name: str) -> Object:
        kind, field_name = {
            "payments": ("invoice_payments", "invoice"),
            "refunds": ("refunds", "charge"),
        }[name]
        rows = [dict(row) for row in self._newest(kind) if row[field_name] == one["id"]]
        return {
            "object": "list", "data": rows[:_INLINE], "has_more": len(rows) > _INLINE,
            "url": f"/v1/{kind}?{field_name}={one['id']}",
        }  # fmt: skip


_FILTERS: Final[dict[str, dict[str, str]]] = {
    "customers": {"email": "email"},
    "invoices": {"customer": "customer", "status": "status"},
    "invoice_payments": {"invoice": "invoice", "payment": "payment.payment_intent"},
    "charges": {"customer": "customer", "payment_intent": "payment_intent"},
    "refunds": {"charge": "charge", "payment_intent": "payment_intent"},
    "credit_notes": {"customer": "customer", "invoice": "invoice"},
}
