"""Approvals: what needs one by policy, how long it is open, and when people are reminded."""

from datetime import datetime, timedelta

from models.rules.vocabulary import ActivityType, ApprovalType, RiskLevel

EXPIRY = timedelta(hours=72)
REMINDERS: tuple[int, ...] = (24, 6)
"""Hours left at which `approval_expiring` is sent."""

DEFAULT_RISK = RiskLevel.LOW
BUDGET_RISK = RiskLevel.HIGH

_PUBLISHED = frozenset(
    {
        ActivityType.BLOG_POST,
        ActivityType.SOCIAL_POST,
        ActivityType.GBP_POST,
        ActivityType.AD_COPY,
        ActivityType.EMAIL_NEWSLETTER,
        ActivityType.BACKLINK,
    }
)


def policy_needs_approval(activity_type: ActivityType) -> ApprovalType | None:
    """Say what approval an output of this type needs before it counts, whatever the agent asks."""
    return ApprovalType.CONTENT_REVIEW if activity_type in _PUBLISHED else None


def reminders_due(expires_at: datetime, now: datetime) -> list[tuple[datetime, int]]:
    """List the reminders that are still ahead, earliest first, as (moment, hours left).

    One whose moment is past is left out: an approval that is opened for five hours reminds nobody.
    """
    reminders = [(expires_at - timedelta(hours=hours), hours) for hours in REMINDERS]
    return [(at, hours) for at, hours in sorted(reminders) if at > now]
