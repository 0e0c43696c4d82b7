from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from models.errors import Invalid
from models.rules.clients.ai_texts import input_hash, is_current
from models.rules.clients.groups import ClientStats, aggregated
from models.rules.clients.profile import FIELDS, Change, Value, changes, check_times
from models.rules.clients.vocabulary import HistoryKind

BEFORE: dict[str, Value] = {**dict.fromkeys(FIELDS), "status": "active"}
NOON = datetime(2026, 3, 10, 12, 0, 0, 999_999, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))


def test_a_field_with_its_present_value_is_no_change():
    assert changes(BEFORE, {"status": "active", "assigned_dm_id": None}) == []


def test_each_changed_field_is_one_event_with_both_values():
    after: dict[str, Value] = {
        "status": "dormant", "next_qbr_date": date(2026, 6, 10),
        "onboarding_started_at": NOON.astimezone(BERLIN), "assigned_dm_id": "01K9",
    }  # fmt: skip
    assert changes(BEFORE, after) == [
        Change(kind=HistoryKind.STATUS_CHANGED, field="status",
               old_value="active", new_value="dormant"),
        Change(kind=HistoryKind.ASSIGNED_DM_CHANGED, field="assigned_dm_id",
               old_value=None, new_value="01K9"),
        Change(kind=HistoryKind.NEXT_QBR_DATE_CHANGED, field="next_qbr_date",
               old_value=None, new_value="2026-06-10"),
        Change(kind=HistoryKind.ONBOARDING_STARTED_AT_CHANGED, field="onboarding_started_at",
               old_value=None, new_value="2026-03-10T12:00:00Z"),
    ]  # fmt: skip


def test_what_is_completed_has_started_before():
    profile = {"onboarding_started_at": NOON, "onboarding_completed_at": NOON - timedelta(days=1)}
    with pytest.raises(Invalid) as refused:
        check_times({}, profile)
    assert [item.location for item in refused.value.items] == ["body.onboarding_completed_at"]


def test_a_start_after_the_stored_end_is_what_is_refused():
    with pytest.raises(Invalid) as refused:
        check_times({"offboarding_completed_at": NOON - timedelta(days=1)},
                    {"offboarding_started_at": NOON})  # fmt: skip
    (item,) = refused.value.items
    assert (item.location, item.value) == ("body.offboarding_started_at", "2026-03-10T12:00:00Z")


@pytest.mark.parametrize(
    "profile",
    [
        {"onboarding_started_at": NOON, "onboarding_completed_at": NOON},
        {"onboarding_completed_at": NOON, "onboarding_started_at": None},
        {"onboarding_started_at": NOON, "offboarding_completed_at": NOON - timedelta(days=1)},
        {},
    ],
)
def test_times_in_order_are_fine(profile):
    check_times({}, profile)


def test_a_group_adds_up_and_takes_the_latest_meeting():
    own = ClientStats(active_projects=1, total_revenue=Decimal("0.10"), contacts_count=3)
    children = [
        ClientStats(open_deals=2, meetings_count=4, last_meeting_date=date(2026, 1, 9)),
        ClientStats(total_revenue=Decimal("0.20"), last_meeting_date=date(2026, 2, 9)),
    ]
    found = aggregated(own, children)
    assert found.companies_count == 3
    assert found.stats == ClientStats(
        active_projects=1, open_deals=2, total_revenue=Decimal("0.30"), meetings_count=4,
        contacts_count=3, last_meeting_date=date(2026, 2, 9),
    )  # fmt: skip


def test_the_same_input_has_the_same_hash_whatever_the_order_of_its_keys():
    assert input_hash({"a": 1, "b": ["ü"]}) == input_hash({"b": ["ü"], "a": 1})
    assert input_hash({"a": 1}) != input_hash({"a": 2})


@pytest.mark.parametrize(
    ("generated_at", "stored", "current"),
    [
        (NOON - timedelta(hours=23), "h", True),
        (NOON - timedelta(hours=24), "h", False),
        (NOON - timedelta(hours=1), "other", False),
        (None, None, False),
    ],
)
def test_a_summary_is_used_again_while_it_is_young_and_its_input_the_same(
    generated_at, stored, current
):
    assert is_current(generated_at, stored, "h", NOON) is current
