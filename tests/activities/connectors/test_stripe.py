"""The Stripe connector against the wire: what it asks, what it reads, how it fails."""

import asyncio
from datetime import UTC, datetime

import pytest
import stripe
from pydantic import SecretStr
from starlette.responses import Response

from activities.connectors.stripe import API_VERSION, StripeAccountApi, StripeBilling
from activities.connectors.stripe_errors import KEY_REFUSED, safe
from activities.ports import Unread, VendorBusy
from models.errors import UpstreamFailed
from tests.fakes.stripe import KEY, FakeStripe
from tests.fakes.stripe_wire import html, refusal


def test_the_version_is_the_one_that_the_librarys_types_describe() -> None:
    assert stripe.api_version == API_VERSION


# Customers


async def test_a_search_looks_into_names_and_addresses_newest_first(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    old = fake.customer("Northwind Traders", "billing@northwind.example")
    new = fake.customer("Somebody", "someone@NORTHwind.example", currency=None)
    fake.customer("Contoso", "pay@contoso.example")
    found = await account.search_customers("northwind", 20)
    assert [one.id for one in found] == [new["id"], old["id"]]
    assert (found[1].name, found[1].email, found[1].currency) == (
        "Northwind Traders", "billing@northwind.example", "USD",
    )  # fmt: skip
    assert found[1].created == datetime.fromtimestamp(old["created"], UTC)
    assert found[0].currency is None


async def test_a_search_is_cut_to_the_newest(fake: FakeStripe, account: StripeAccountApi) -> None:
    made = [fake.customer(f"Northwind {number}") for number in range(30)]
    found = await account.search_customers("Northwind", 20)
    assert [one.id for one in found] == [one["id"] for one in reversed(made[10:])]


async def test_an_id_finds_its_customer(fake: FakeStripe, account: StripeAccountApi) -> None:
    customer = fake.customer(None)
    found = await account.search_customers(customer["id"], 20)
    assert [(one.id, one.name, one.email) for one in found] == [(customer["id"], None, None)]
    assert await account.search_customers("cus_nobody", 20) == []


async def test_a_search_for_less_than_stripe_takes_looks_itself(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    fake.page_limit = 2
    wanted = [fake.customer("3M"), fake.customer("x", "a@3m.example")]
    for number in range(3):
        fake.customer(f"Other {number}")
    found = await account.search_customers("3m", 20)
    assert [one.id for one in found] == [one["id"] for one in reversed(wanted)]
    assert set(fake.paths()) == {"/v1/customers"}


@pytest.mark.parametrize("q", ['say "hi" OR name~"x', "back\\slash", "O'Neill & Söhne"])
async def test_what_is_searched_for_cannot_leave_its_quotes(
    fake: FakeStripe, account: StripeAccountApi, q: str
) -> None:
    fake.customer("Northwind")
    fake.customer(f"The {q} company")
    assert len(await account.search_customers(q, 20)) == 1
    text = q.replace("\\", "\\\\").replace('"', '\\"')
    assert fake.calls[-1].query["query"] == f'name~"{text}" OR email~"{text}"'


async def test_deleted_and_unknown_customers_are_none(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    gone = fake.customer("Northwind")
    fake.delete(gone)
    assert await account.customer(gone["id"]) is None
    assert await account.customer("cus_unknown") is None
    assert await account.search_customers("Northwind", 20) == []
    assert await account.search_customers(gone["id"], 20) == []


async def test_a_key_is_verified_by_reading_all_that_is_needed(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    assert await account.verify() == "Aster Agency"
    assert {"/v1/customers", "/v1/invoices", "/v1/credit_notes", "/v1/refunds"} < set(fake.paths())
    assert {call.headers["stripe-version"] for call in fake.calls} == {API_VERSION}
    assert {call.method for call in fake.calls} == {"GET"}
    fake.denied = {"account"}
    assert await account.verify() is None


# Failures


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500),
        refusal(503, "api_error", "over capacity"),
        refusal(409, "idempotency_error", "lock timeout", code="lock_timeout"),
        refusal(429, "rate_limit_error", "Too many requests", code="rate_limit"),
        html(),
        html(502),
        Response("[]", media_type="application/json"),
        Response("{", media_type="application/json"),
        Response('{"object": "list"}', media_type="application/json"),
    ],
)
async def test_what_may_pass_is_busy_and_is_asked_once(
    fake: FakeStripe, account: StripeAccountApi, answer: Response
) -> None:
    fake.before = lambda _: answer
    with pytest.raises(VendorBusy) as caught:
        await account.search_customers("Northwind", 20)
    assert len(fake.calls) == 1
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_wish_for_a_pause_is_told(fake: FakeStripe, account: StripeAccountApi) -> None:
    fake.before = lambda _: refusal(429, "rate_limit_error", headers={"Retry-After": "7"})
    with pytest.raises(VendorBusy) as caught:
        await account.customer("cus_1")
    assert caught.value.retry_after == 7


async def test_stripes_word_to_retry_does_not_make_the_library_retry(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    fake.before = lambda _: refusal(500, headers={"Stripe-Should-Retry": "true"})
    with pytest.raises(VendorBusy):
        await account.customer("cus_1")
    assert len(fake.calls) == 1


async def test_nobody_there_is_busy() -> None:
    billing = StripeBilling("http://127.0.0.1:9", timeout=1)
    with pytest.raises(VendorBusy, match="could not be reached"):
        await billing.account(SecretStr(KEY)).customer("cus_1")
    await billing.close()


async def test_silence_is_busy() -> None:
    left = asyncio.Event()

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    billing = StripeBilling(f"http://127.0.0.1:{port}", timeout=0.2)
    with pytest.raises(VendorBusy, match="ReadTimeout"):
        await billing.account(SecretStr(KEY)).customer("cus_1")
    await billing.close()
    await left.wait()
    server.close()


async def test_a_revoked_key_is_refused_without_being_shown(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    fake.key = "rk_test_another"
    with pytest.raises(UpstreamFailed) as caught:
        await account.customer("cus_1")
    assert caught.value.detail == KEY_REFUSED
    assert KEY[-4:] not in str(caught.value)


async def test_a_missing_right_is_named(fake: FakeStripe, account: StripeAccountApi) -> None:
    fake.denied = {"credit_notes"}
    with pytest.raises(UpstreamFailed, match="It lacks rak_credit_note_read") as caught:
        await account.verify()
    assert "rk_test" not in str(caught.value)


async def test_another_refusal_is_told(fake: FakeStripe, account: StripeAccountApi) -> None:
    fake.before = lambda _: refusal(400, "invalid_request_error", f"Not with {KEY}, please")
    with pytest.raises(UpstreamFailed, match=r"\(400\): Not with \[hidden\], please"):
        await account.search_customers("Northwind", 20)


def test_what_looks_like_a_key_is_hidden() -> None:
    assert (
        safe("a rk_live_51Abc***9x b sk_test_1234567 cus_1234") == "a [hidden] b [hidden] cus_1234"
    )


# Invoices


async def read(account: StripeAccountApi, customer_id: str, **wanted: object) -> list[str]:
    pages = account.paid_invoices(customer_id, Unread(**wanted))  # type: ignore[arg-type]
    return [one.id async for page in pages for one in page.invoices]


def day(month: int, day: int = 10, year: int = 2025) -> datetime:
    return datetime(year, month, day, 9, 30, tzinfo=UTC)


async def test_the_first_time_all_paid_invoices_are_read_page_by_page(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    fake.page_limit = 2
    customer, other = fake.customer(), fake.customer()
    made = [fake.invoice(customer, 100, paid_at=day(month)) for month in range(1, 6)]
    fake.invoice(customer, 100, status="open")
    fake.invoice(other, 100)
    pages = [page async for page in account.paid_invoices(customer["id"], Unread())]
    assert [one.id for page in pages for one in page.invoices] == [
        one["id"] for one in reversed(made)
    ]
    assert [len(page.invoices) for page in pages] == [2, 2, 1]
    # The charges came in pages of their own, and not one by one.
    assert fake.paths().count("/v1/charges") == 3
    after = pages[0].last
    assert await read(account, customer["id"], after=after) == [
        one["id"] for one in reversed(made[:3])
    ]


async def test_later_only_what_may_have_changed_is_read(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    customer, other = fake.customer(), fake.customer()
    old = [fake.invoice(customer, 100, paid_at=day(month)) for month in range(1, 8)]
    ancient = [fake.invoice(customer, 100, paid_at=day(month, year=2020)) for month in (1, 2, 3)]
    foreign = fake.invoice(other, 100, paid_at=day(1))
    fake.now = day(9)
    fake.refund(old[0], 10)
    fake.credit_note(old[2], 10)
    fake.refund(ancient[0], 10)
    fake.credit_note(ancient[1], 10)
    fake.refund(foreign, 10)
    late = fake.invoice(customer, 100, created=day(2, 20), paid_at=day(9))
    bounds = {"since": day(8), "created_since": day(1, 1)}
    found = await read(account, customer["id"], **bounds)
    assert sorted(found) == sorted(
        one["id"] for one in (late, old[0], old[2], ancient[0], ancient[1])
    )
    # Of what did not change no charge was asked for.
    assert fake.paths().count("/v1/charges") == 5


async def test_many_payments_and_refunds_are_all_read(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    fake.page_limit = 7
    customer = fake.customer()
    invoice = fake.invoice(customer, 5000, parts=12, paid_at=day(3))
    for _ in range(11):
        fake.refund(invoice, 1)
    fake.refund(invoice, 5, part=11)
    fake.refund(invoice, 7, status="failed")
    (page,) = [page async for page in account.paid_invoices(customer["id"], Unread())]
    (one,) = page.invoices
    assert len(one.payments) == 12
    assert sum(payment.amount for payment in one.payments) == 5000
    assert sum(refund.amount for refund in one.refunds) == 16


async def test_a_payment_for_two_invoices_shares_its_refunds(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    customer = fake.customer()
    one = fake.invoice(customer, 300, paid_at=day(3), exchange=("usd", 330))
    two = fake.invoice(customer, 100, paid_at=day(3), off_stripe=True)
    (charge,) = fake.charges_of(one)
    charge["amount"] = 400
    shared = fake.objects["invoice_payments"][-1]
    shared["payment"] = {"type": "payment_intent", "payment_intent": charge["payment_intent"]}
    refund = fake.refund(one, 40)
    (page,) = [page async for page in account.paid_invoices(customer["id"], Unread())]
    assert {(back.id, back.amount) for read in page.invoices for back in read.refunds} == {
        (f"{refund['id']}:{one['id']}", 30), (f"{refund['id']}:{two['id']}", 10),
    }  # fmt: skip


async def test_what_was_paid_outside_of_stripe_has_no_exchange(
    fake: FakeStripe, account: StripeAccountApi
) -> None:
    customer = fake.customer()
    fake.invoice(customer, 1000, tax=160, currency="eur", off_stripe=True, paid_at=day(4))
    (page,) = [page async for page in account.paid_invoices(customer["id"], Unread())]
    (one,) = page.invoices
    assert (one.currency, one.paid, one.total, one.tax) == ("EUR", 1000, 1000, 160)
    assert one.paid_on == day(4).date()
    assert [payment.exchanged for payment in one.payments] == [None]
