"""The client that the examples of this area show."""

from typing import Any, Final

LISTED: Final[dict[str, Any]] = {
    "id": "01K9CNX0000000000000000001",
    "company_id": "01K9CPY0000000000000000001",
    "name": "Nordwind",
    "status": "active",
    "tier": "platinum",
    "tier_track": "delivery",
    "tier_score": 4.25,
    "tier_scored_at": "2026-01-15T09:30:00Z",
    "is_score_stale": False,
    "health_score": 82.5,
    "health_scored_at": "2026-02-27T08:00:00Z",
    "assigned_dm_id": "01K9SER0000000000000000001",
    "assigned_dm_name": "Mara Lind",
    "last_qbr_date": "2025-12-03",
    "next_qbr_date": "2026-03-01",
    "is_qbr_overdue": True,
    "qbr_overdue_days": 9,
    "parent_company_id": None,
    "created_at": "2025-06-02T10:00:00Z",
    "updated_at": "2026-02-27T08:00:00Z",
}

CLIENT: Final[dict[str, Any]] = {
    **LISTED,
    "website": "https://nordwind.example",
    "tier_revenue_score": 4,
    "tier_profitability_score": 3,
    "tier_strategic_score": 4,
    "tier_relationship_score": 5,
    "tier_growth_score": None,
    "tier_adoption_score": None,
    "tier_revenue_override": None,
    "tier_override_reason": None,
    "tier_scored_by": "01K9SER0000000000000000001",
    "tier_scored_by_name": "Mara Lind",
    "onboarding_started_at": "2025-06-02T10:00:00Z",
    "onboarding_completed_at": "2025-07-11T15:00:00Z",
    "offboarding_started_at": None,
    "offboarding_completed_at": None,
    "stripe_customer_id": "cus_NffrFeUfNV2Hib",
    "ai_summary": None,
    "ai_summary_generated_at": None,
}

EVENT: Final[dict[str, Any]] = {
    "id": "01K9HST0000000000000000001",
    "resource_type": "client",
    "resource_id": CLIENT["company_id"],
    "event_type": "client.status_changed",
    "field": "status",
    "old_value": "prospect",
    "new_value": "active",
    "metadata": {},
    "actor_id": "01K9SER0000000000000000001",
    "actor_name": "Mara Lind",
    "created_at": "2025-06-02T10:00:00Z",
}
