"""Every table, imported so that the metadata is whole."""

from models.tables import (
    agent_activities,
    agent_runs,
    approvals,
    campaigns,
    client_texts,
    clients,
    clients_revenue,
    clients_reviews,
    clients_scores,
    companies,
    people,
    platforms,
    records,
    results,
)
from models.tables.base import Base, TenantRow

__all__ = [
    "Base",
    "TenantRow",
    "agent_activities",
    "agent_runs",
    "approvals",
    "campaigns",
    "client_texts",
    "clients",
    "clients_revenue",
    "clients_reviews",
    "clients_scores",
    "companies",
    "people",
    "platforms",
    "records",
    "results",
]
