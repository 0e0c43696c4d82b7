"""Whatever happens in an account, the ledger holds its sums, to the smallest unit."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.activities.people.test_stripe import Office, office  # noqa: F401

PLACES = {"usd": 2, "eur": 2, "jpy": 0, "kwd": 3}
Month = date


@dataclass(frozen=True)
class Plan:
    """What happens to one invoice; parts are hundredths of what was paid."""

    currency: str
    net: int
    tax: int
    month: int
    paid_part: int
    books: str
    booked: int
    off_stripe: bool
    refunds: tuple[tuple[int, bool], ...]
    credited: int


plans = st.builds(
    Plan,
    currency=st.sampled_from(sorted(PLACES)),
    net=st.integers(1, 900_000),
    tax=st.integers(0, 200_000),
    month=st.integers(1, 12),
    paid_part=st.sampled_from([100, 100, 50, 33, 0]),
    books=st.sampled_from(["usd", "usd", "eur"]),
    booked=st.integers(1, 1_000_000),
    off_stripe=st.booleans(),
    refunds=st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=3).map(tuple),
    credited=st.integers(0, 10),
)


def units(minor: Fraction, currency: str) -> Decimal:
    """The oracle's own rounding: on the decimal text of a large enough quotient."""
    exact = Decimal(minor.numerator) / Decimal(minor.denominator)
    return exact.quantize(Decimal(1), ROUND_HALF_UP).scaleb(-PLACES[currency])


class Books:
    """The account's own sums: added up while things happen, from what was done and not read."""

    def __init__(self) -> None:
        self.original: dict[tuple[Month, str], Decimal] = {}
        self.reported: dict[Month, Decimal] = {}

    def add(self, month: Month, currency: str, minor: Fraction, rate: Fraction | None) -> None:
        amount = units(minor, currency)
        if not amount:
            return
        key = (month, currency.upper())
        self.original[key] = self.original.get(key, Decimal(0)) + amount
        if rate is not None:
            became = units(minor * rate, "usd")
            self.reported[month] = self.reported.get(month, Decimal(0)) + became


def happen(office: Office, customer: dict, plan: Plan, books: Books) -> None:  # noqa: F811
    fake, total = office.fake, plan.net + plan.tax
    paid = total * plan.paid_part // 100
    at = datetime(2025, plan.month, 28, 20, tzinfo=UTC)
    month, share = date(2025, plan.month, 1), Fraction(plan.net, total)
    is_own = plan.currency == "usd"
    exchange = None if is_own else (plan.books, plan.booked)
    invoice = fake.invoice(
        customer, total, tax=plan.tax, paid=paid, currency=plan.currency, paid_at=at,
        exchange=exchange, off_stripe=plan.off_stripe,
    )  # fmt: skip
    if not paid:
        return
    converts = plan.books == "usd" and not plan.off_stripe
    rate = Fraction(1) if is_own else Fraction(plan.booked, paid) if converts else None
    books.add(month, plan.currency, paid * share, rate)
    if plan.off_stripe:
        return
    noted: list[tuple[dict, int]] = []
    for percent, is_noted in plan.refunds:
        amount = paid * percent // 100
        if not amount:
            continue
        booked = None if is_own else (plan.books, amount * 2)
        refund = fake.refund(invoice, amount, booked=booked, created=at + timedelta(days=40))
        fake.refund(invoice, amount, booked=booked, status="failed")
        own_rate = Fraction(1) if is_own else Fraction(2) if converts else None
        if is_noted:
            noted.append((refund, amount))
            fake.credit_note(
                invoice, amount, tax=amount // 7, refunds=[(refund, amount)]
            )  # fmt: skip
            books.add(month, plan.currency, Fraction(-(amount - amount // 7)), own_rate)
        else:
            books.add(month, plan.currency, -amount * share, own_rate)
    if credited := paid * plan.credited // 100:
        fake.credit_note(invoice, credited, created=at + timedelta(days=50))
        books.add(month, plan.currency, Fraction(-credited), rate)


async def ledger(office: Office, company_id: str) -> Books:  # noqa: F811
    found = Books()
    for row in await office.entries(company_id):
        month = row.counted_on.replace(day=1)
        key = (month, row.original_currency)
        found.original[key] = found.original.get(key, Decimal(0)) + row.original_amount
        if row.amount is not None:
            found.reported[month] = found.reported.get(month, Decimal(0)) + row.amount
    return found


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    before=st.lists(plans, max_size=5), after=st.lists(plans, max_size=3), page=st.integers(1, 3)
)
async def test_the_ledger_holds_the_accounts_own_sums(
    office: Office,  # noqa: F811
    before: list[Plan],
    after: list[Plan],
    page: int,
) -> None:
    office.fake.objects.clear()
    office.fake.page_limit = page
    customer, books = office.fake.customer(), Books()
    company_id = await office.company(customer)
    for plan in before:
        happen(office, customer, plan, books)
    office.at = datetime(2025, 1, 1, tzinfo=UTC)
    await office.run(company_id)
    assert vars(await ledger(office, company_id)) == vars(books)
    for plan in after:
        happen(office, customer, plan, books)
    await office.run(company_id)
    first = await office.entries(company_id)
    assert vars(await ledger(office, company_id)) == vars(books)
    await office.run(company_id)
    assert await office.entries(company_id) == first
