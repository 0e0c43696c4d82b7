"""The closed sets of the Clients API, by their wire values.

Source: clients/common.yaml, schemas, rules.history.event_types and rules.notifications.types.
"""

from enum import StrEnum


class ClientStatus(StrEnum):
    """Where the relationship with a client stands."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    DORMANT = "dormant"
    ALUMNI = "alumni"


class Tier(StrEnum):
    """What a client is worth to the tenant, best first."""

    PLATINUM = "platinum"
    CORE = "core"
    STANDARD = "standard"
    REVIEW = "review"


class TierTrack(StrEnum):
    """By which dimensions a client is scored: delivery is Track A, product Track B."""

    DELIVERY = "delivery"
    PRODUCT = "product"


class RevenueSource(StrEnum):
    """Whose invoices a client's revenue is made of."""

    NUCLEUS = "nucleus"
    PRODUCTIVE = "productive"
    NONE = "none"


class RevenueOrigin(StrEnum):
    """Where a revenue entry came from; what Stripe sends is part of the nucleus ledger."""

    NUCLEUS = "nucleus"
    STRIPE = "stripe"
    PRODUCTIVE = "productive"


class RevenueKind(StrEnum):
    """What a revenue entry is; only an invoice can be above nothing."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    REFUND = "refund"


class ScoreSource(StrEnum):
    """Who scored a client: a person, or the recalculation."""

    MANUAL = "manual"
    AUTO = "auto"


class PeriodType(StrEnum):
    """The stretches of time that goals and results are of."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class TrackingStatus(StrEnum):
    """How a metric stands against its goal."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"


class QbrStatus(StrEnum):
    """Where a QBR stands: prepared or planned, entered after the fact, or final."""

    DRAFT = "draft"
    RECORDED = "recorded"
    PRESENTED = "presented"


class WinStatus(StrEnum):
    """What a person has made of a win."""

    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"
    SNOOZED = "snoozed"
    DISMISSED = "dismissed"


class WinSource(StrEnum):
    """Where a win was noticed."""

    MANUAL = "manual"
    GOAL = "goal"
    AI = "ai"
    MEETING = "meeting"


class ClientSort(StrEnum):
    """The orders of the list of clients."""

    HEALTH_SCORE = "health_score"
    NAME = "name"
    TIER = "tier"
    LAST_QBR_DATE = "last_qbr_date"


class HistoryKind(StrEnum):
    """The events of a client's history."""

    PROMOTED = "client.promoted"
    STATUS_CHANGED = "client.status_changed"
    ASSIGNED_DM_CHANGED = "client.assigned_dm_changed"
    NEXT_QBR_DATE_CHANGED = "client.next_qbr_date_changed"
    LAST_QBR_DATE_CHANGED = "client.last_qbr_date_changed"
    ONBOARDING_STARTED_AT_CHANGED = "client.onboarding_started_at_changed"
    ONBOARDING_COMPLETED_AT_CHANGED = "client.onboarding_completed_at_changed"
    OFFBOARDING_STARTED_AT_CHANGED = "client.offboarding_started_at_changed"
    OFFBOARDING_COMPLETED_AT_CHANGED = "client.offboarding_completed_at_changed"
    TIER_SCORED = "client.tier_scored"
    TIER_CHANGED = "client.tier_changed"
    HEALTH_RECORDED = "client.health_recorded"
    QBR_RECORDED = "client.qbr_recorded"
    QBR_PREPARED = "client.qbr_prepared"
    QBR_UPDATED = "client.qbr_updated"
    QBR_PRESENTED = "client.qbr_presented"
    GOAL_CREATED = "client.goal_created"
    GOAL_PROGRESS = "client.goal_progress"
    GOAL_ACHIEVED = "client.goal_achieved"
    AI_SUMMARY_GENERATED = "client.ai_summary_generated"
    STRIPE_LINKED = "client.stripe_linked"
    STRIPE_UNLINKED = "client.stripe_unlinked"
    SUCCESS_PROFILE_UPDATED = "client.success_profile_updated"
    SUCCESS_PROFILE_COMPLETED = "client.success_profile_completed"
    WIN_CREATED = "client.win_created"
    WIN_UPDATED = "client.win_updated"
    WIN_DELETED = "client.win_deleted"
    CONNECTION_CREATED = "client.connection_created"
    CONNECTION_EXPIRED = "client.connection_expired"
    CONNECTION_DISCONNECTED = "client.connection_disconnected"
    SYNC_STARTED = "client.sync_started"
    BACKFILL_STARTED = "client.backfill_started"


class NotificationKind(StrEnum):
    """What the assigned delivery manager is told."""

    TIER_CHANGED = "client.tier_changed"
    SUCCESS_PROFILE_COMPLETED = "client.success_profile_completed"
    HEALTH_LOW = "client.health_low"
    CONNECTION_EXPIRED = "client.connection_expired"
