from datetime import UTC, datetime, timedelta

import pytest

from models.rules.approvals import EXPIRY, policy_needs_approval, reminders_due
from models.rules.vocabulary import ActivityType, ApprovalType

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "published",
    ["blog_post", "social_post", "gbp_post", "ad_copy", "email_newsletter", "backlink"],
)
def test_what_goes_out_is_reviewed_first(published):
    assert policy_needs_approval(ActivityType(published)) is ApprovalType.CONTENT_REVIEW


@pytest.mark.parametrize(
    "internal",
    ["website_audit", "performance_report", "campaign_planning", "research", "review",
     "publishing", "recurring_task"],
)  # fmt: skip
def test_what_stays_inside_is_not(internal):
    assert policy_needs_approval(ActivityType(internal)) is None


def test_a_fresh_approval_reminds_a_day_and_six_hours_before_its_end():
    end = NOW + EXPIRY
    assert reminders_due(end, NOW) == [
        (end - timedelta(hours=24), 24),
        (end - timedelta(hours=6), 6),
    ]


@pytest.mark.parametrize(
    ("hours", "left"), [(25, [24, 6]), (24, [6]), (7, [6]), (6, []), (5, []), (-1, [])]
)
def test_only_reminders_that_are_still_ahead_are_due(hours, left):
    due = reminders_due(NOW + timedelta(hours=hours), NOW)
    assert [hours_left for _, hours_left in due] == left
