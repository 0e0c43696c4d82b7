"""What holds for shops, analytics, search and mailings alike."""

import io
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    PlatformError,
    QuotaExhausted,
)
from models.rules.clients.metrics import METRICS, MetricKind, MetricUnit
from tests.activities.connectors.platforms.cases import (
    SECRETS,
    TODAY,
    Case,
    by_day,
    days,
    of_klaviyo,
    of_mailchimp,
    of_shopify,
)

LAST = date(2026, 3, 20)
FIRST = LAST - timedelta(days=9)
QUIET = date(2026, 3, 15)
BUSY = ("errors", "html", "cut", "odd")


async def test_verifying_tells_whose_credentials_they_are(case: Case) -> None:
    account = await case.connector.verify(case.credentials)
    assert account.account_id == case.account_id
    assert (account.currency, account.time_zone) == (case.currency, case.zone)


async def test_nothing_is_renewed(case: Case) -> None:
    assert await case.connector.renew(case.credentials) is None


async def test_every_day_is_what_the_account_says(case: Case) -> None:
    read = by_day(await case.read(FIRST, LAST))
    assert read == {day: dict(case.expected(day)) for day in days(FIRST, LAST)}


async def test_only_stored_keys_come_and_currency_only_where_it_is_money(case: Case) -> None:
    for row in await case.read(FIRST, LAST):
        metric = METRICS[row.metric_key]
        assert metric.kind is not MetricKind.RATIO
        assert (row.currency is not None) == (metric.unit is MetricUnit.MONEY)


async def test_a_quiet_day_is_zero_and_not_missing(case: Case) -> None:
    case.fake.account.quiet.add(QUIET)
    read = by_day(await case.read(QUIET, QUIET + timedelta(days=1)))[QUIET]
    assert read == dict(case.expected(QUIET))
    assert {value for value, _ in read.values()} == {0}


async def test_small_pages_add_up_to_the_same(paged: Case) -> None:
    read = by_day(await paged.read(FIRST, LAST))
    assert read == {day: dict(paged.expected(day)) for day in days(FIRST, LAST)}


async def test_what_comes_twice_counts_once(paged: Case) -> None:
    paged.fake.faults.doubled_pages = True
    read = by_day(await paged.read(FIRST, LAST))
    assert read == {day: dict(paged.expected(day)) for day in days(FIRST, LAST)}


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 3, 7), date(2026, 3, 9)),
        (date(2026, 3, 28), date(2026, 3, 29)),
        (date(2025, 10, 25), date(2025, 10, 27)),
        (date(2025, 11, 1), date(2025, 11, 3)),
    ],
    ids=["spring in America", "spring in Europe", "autumn in Europe", "autumn in America"],
)
async def test_days_of_23_and_25_hours_have_one_value_each(
    case: Case, first: date, last: date
) -> None:
    read = by_day(await case.read(first, last))
    assert read == {day: dict(case.expected(day)) for day in days(first, last)}


@pytest.mark.parametrize("make", [of_shopify, of_klaviyo, of_mailchimp])
@pytest.mark.parametrize(
    ("zone", "middle"),
    [
        ("Africa/Cairo", date(2025, 4, 25)),
        ("America/Santiago", date(2025, 9, 7)),
        ("America/Havana", date(2025, 11, 2)),
        ("Australia/Lord_Howe", date(2025, 10, 5)),
        ("Pacific/Apia", date(2026, 3, 8)),
    ],
)
async def test_midnights_that_are_not_there_or_come_twice_begin_a_day(
    make: Callable[[], Case], zone: str, middle: date
) -> None:
    case = make()
    case.fake.account.time_zone = case.zone = zone
    first, last = middle - timedelta(days=1), middle + timedelta(days=1)
    read = by_day(await case.read(first, last))
    # Mailchimp does not remember more than half a year.
    forgets = make is of_mailchimp and last < TODAY - timedelta(days=179)
    known = [] if forgets else days(first, last)
    assert read == {day: dict(case.expected(day)) for day in known}


async def test_a_day_alone_is_the_same_as_among_others(case: Case) -> None:
    alone = by_day(await case.read(LAST, LAST))
    assert alone == {LAST: by_day(await case.read(FIRST, LAST))[LAST]}


async def test_revoked_credentials_are_rejected(case: Case) -> None:
    case.fake.faults.revoked = True
    with pytest.raises(CredentialsRejected):
        await case.connector.verify(case.credentials)
    with pytest.raises(CredentialsRejected):
        await case.read(FIRST, LAST)


async def test_revoking_is_noticed_in_the_middle_too(case: Case) -> None:
    await case.read(FIRST, LAST)
    case.fake.faults.revoked = True
    with pytest.raises(CredentialsRejected):
        await case.read(FIRST, LAST)


async def test_a_used_up_quota_says_when_to_come_back(case: Case) -> None:
    await case.read(FIRST, FIRST)
    case.fake.faults.quota = 1
    with pytest.raises(QuotaExhausted) as caught:
        await case.read(FIRST, LAST)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 0
    assert by_day(await case.read(FIRST, LAST)).keys() == set(days(FIRST, LAST))


@pytest.mark.parametrize("fault", BUSY)
async def test_an_accident_is_worth_another_try(case: Case, fault: str) -> None:
    await case.read(FIRST, FIRST)
    for read in (case.read(FIRST, LAST), case.connector.verify(case.credentials)):
        setattr(case.fake.faults, fault, 1)
        with pytest.raises(PlatformBusy):
            await read


@pytest.mark.parametrize("fault", BUSY)
async def test_an_accident_with_any_call_is_one(case: Case, fault: str) -> None:
    """Whatever call of a read fails, nothing is told of the days as if they were empty."""
    await case.read(FIRST, LAST)
    case.fake.calls.clear()
    await case.read(FIRST, LAST)
    in_all = len(case.fake.calls)
    for place in range(in_all):
        with pytest.raises(PlatformBusy):
            await _failing(case, fault, place)


async def _failing(case: Case, fault: str, place: int) -> None:
    sent = 0

    async def arm(request: httpx.Request) -> None:
        nonlocal sent
        if sent == place:
            setattr(case.fake.faults, fault, 1)
        sent += 1

    case.http.event_hooks = {"request": [arm]}
    try:
        await case.read(FIRST, LAST)
    finally:
        case.http.event_hooks = {}
        setattr(case.fake.faults, fault, 0)


async def test_a_platform_that_cannot_be_reached_is_busy(case: Case) -> None:
    async def refuse(request: httpx.Request) -> None:
        raise httpx.ConnectError(f"no way to {request.url} with {request.headers}")

    case.http.event_hooks = {"request": [refuse]}
    with pytest.raises(PlatformBusy):
        await case.connector.verify(case.credentials)


@pytest.mark.parametrize("fault", ["revoked", "quota", *BUSY])
async def test_no_secret_is_in_an_error_or_a_log(case: Case, fault: str) -> None:
    with _logs() as written:
        for _ in range(2):
            setattr(case.fake.faults, fault, True)
            await _failed(case)
            setattr(case.fake.faults, fault, False)
            await case.read(FIRST, FIRST)
    told = written.getvalue()
    assert [secret for secret in SECRETS if secret in told] == []


async def test_no_secret_is_in_an_address(case: Case) -> None:
    await case.connector.verify(case.credentials)
    await case.read(FIRST, LAST)
    asked = " ".join(f"{call.path}?{call.raw_query}" for call in case.fake.calls)
    assert [secret for secret in SECRETS if secret in asked] == []


async def test_no_secret_is_in_what_is_printed(case: Case) -> None:
    account = await case.connector.verify(case.credentials)
    printed = f"{case.access!r} {account!r} {case.connector!r} {vars(case.connector)!r}"
    assert [secret for secret in SECRETS if secret in printed] == []


async def test_sums_are_exact(case: Case) -> None:
    rows = await case.read(FIRST, LAST)
    for key in {row.metric_key for row in rows}:
        total = sum((row.value for row in rows if row.metric_key == key), Decimal(0))
        assert total == sum(Decimal(case.expected(day)[key][0]) for day in days(FIRST, LAST))


async def _failed(case: Case) -> None:
    for ask in (lambda: case.connector.verify(case.credentials), lambda: case.read(FIRST, LAST)):
        try:
            await ask()
        except PlatformError as error:
            logging.getLogger("test").error("".join(traceback.format_exception(error)))


@contextmanager
def _logs() -> Iterator[io.StringIO]:
    """Everything that anybody logs, down to the last detail."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
