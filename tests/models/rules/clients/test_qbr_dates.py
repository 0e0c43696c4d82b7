from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Invalid
from models.rules.clients.qbr_dates import (
    NOTICE,
    Overdue,
    QbrDates,
    check_next,
    next_date,
    next_qbr_on_change,
    on_present,
    on_record,
    overdue,
    preparation_window,
    recorded_status,
)
from models.rules.clients.vocabulary import ClientStatus, QbrStatus, Tier

TODAY = date(2026, 3, 10)
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
TIERS = st.sampled_from(Tier)
MAYBE = st.none() | DAYS


@pytest.mark.parametrize(
    ("tier", "last", "today", "expected"),
    [
        (Tier.PLATINUM, date(2026, 1, 15), TODAY, date(2026, 4, 15)),
        (Tier.PLATINUM, date(2025, 9, 1), TODAY, date(2026, 3, 24)),
        (Tier.PLATINUM, None, TODAY, date(2026, 6, 10)),
        (Tier.CORE, date(2026, 10, 31), date(2026, 11, 2), date(2027, 2, 28)),
    ],
)
def test_a_new_tier_sets_the_next_date(tier, last, today, expected):
    assert next_qbr_on_change(tier, last=last, today=today) == expected


@given(TIERS, MAYBE, DAYS)
def test_a_new_tier_gives_at_least_two_weeks(tier, last, today):
    assert next_qbr_on_change(tier, last=last, today=today) >= today + NOTICE


@pytest.mark.parametrize(
    ("status", "next_qbr", "last", "tier", "expected"),
    [
        (ClientStatus.ACTIVE, date(2026, 3, 1), None, Tier.CORE, (True, 9)),
        (ClientStatus.PROSPECT, date(2026, 3, 1), None, Tier.CORE, (False, 0)),
        (ClientStatus.ACTIVE, date(2026, 3, 10), None, Tier.CORE, (False, 0)),
        (ClientStatus.ACTIVE, None, date(2025, 11, 5), Tier.CORE, (True, 5)),
        (ClientStatus.ACTIVE, None, None, None, (False, 0)),
        (ClientStatus.ACTIVE, None, date(2025, 9, 9), None, (True, 1)),
    ],
)
def test_a_qbr_is_overdue_the_day_after_it_was_due(status, next_qbr, last, tier, expected):
    found = overdue(status, next_qbr=next_qbr, last=last, tier=tier, today=TODAY)
    assert found == Overdue(is_qbr_overdue=expected[0], qbr_overdue_days=expected[1])


@given(st.sampled_from(ClientStatus), MAYBE, MAYBE, st.none() | TIERS, DAYS)
def test_days_are_counted_when_and_only_when_it_is_overdue(status, next_qbr, last, tier, today):
    found = overdue(status, next_qbr=next_qbr, last=last, tier=tier, today=today)
    assert found.is_qbr_overdue is (found.qbr_overdue_days > 0)
    tomorrow = overdue(
        status, next_qbr=next_qbr, last=last, tier=tier, today=today + timedelta(days=1)
    )
    assert tomorrow.qbr_overdue_days in {found.qbr_overdue_days, found.qbr_overdue_days + 1}


@pytest.mark.parametrize(
    ("body", "stored", "client_next", "tier", "expected"),
    [
        (None, None, date(2026, 3, 1), Tier.PLATINUM, date(2026, 6, 10)),
        (date(2026, 5, 20), date(2026, 6, 30), None, Tier.PLATINUM, date(2026, 5, 20)),
        (None, None, date(2026, 4, 30), None, date(2026, 4, 30)),
        (None, date(2026, 6, 30), None, Tier.PLATINUM, date(2026, 6, 30)),
        (None, None, None, None, date(2026, 9, 10)),
    ],
)
def test_the_next_date_is_the_first_that_applies(body, stored, client_next, tier, expected):
    found = next_date(
        body=body, stored=stored, future=None, client_next=client_next, new_last=TODAY, tier=tier
    )
    assert found == expected


def test_a_qbr_recorded_ahead_is_the_next_one():
    planned = TODAY + timedelta(days=30)
    found = on_record(
        QbrDates(last_qbr_date=None, next_qbr_date=None),
        held_on=planned, body=None, tier=Tier.CORE, today=TODAY,
    )  # fmt: skip
    assert found == QbrDates(last_qbr_date=None, next_qbr_date=planned)
    assert recorded_status(planned, TODAY) is QbrStatus.DRAFT


def test_an_older_qbr_does_not_move_the_last_date_back():
    present = QbrDates(last_qbr_date=date(2026, 2, 1), next_qbr_date=date(2026, 5, 1))
    found = on_record(present, held_on=date(2025, 11, 1), body=None, tier=Tier.CORE, today=TODAY)
    assert found == present
    assert recorded_status(TODAY, TODAY) is QbrStatus.RECORDED


def test_a_qbr_presented_before_its_day_was_held_today():
    found = on_present(
        QbrDates(last_qbr_date=None, next_qbr_date=TODAY + timedelta(days=5)),
        held_on=TODAY + timedelta(days=5), body=None, stored=None, tier=None, today=TODAY,
    )  # fmt: skip
    assert found.last_qbr_date == TODAY


@given(MAYBE, MAYBE, DAYS, st.none() | TIERS)
def test_presenting_without_a_date_never_leaves_the_client_overdue_for_it(
    last, following, today, tier
):
    dates = on_present(
        QbrDates(last_qbr_date=last, next_qbr_date=following),
        held_on=today, body=None, stored=None, tier=tier, today=today,
    )  # fmt: skip
    found = overdue(
        ClientStatus.ACTIVE,
        next_qbr=dates.next_qbr_date, last=dates.last_qbr_date, tier=tier, today=today,
    )  # fmt: skip
    assert found.is_qbr_overdue is False


@pytest.mark.parametrize(
    ("last", "since"), [(date(2026, 1, 5), date(2026, 1, 5)), (None, date(2025, 12, 10))]
)
def test_preparation_looks_back_to_the_last_qbr_or_ninety_days(last, since):
    assert preparation_window(last, TODAY) == (since, TODAY)


def test_the_next_qbr_lies_after_the_one_that_it_follows():
    held = date(2026, 3, 10)
    check_next(None, after=held)
    check_next(held + timedelta(days=1), after=held)
    for day in (held, held - timedelta(days=1)):
        with pytest.raises(Invalid) as refused:
            check_next(day, after=held)
        assert [item.location for item in refused.value.items] == ["body.next_qbr_date"]
