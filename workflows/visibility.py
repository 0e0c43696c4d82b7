"""What operators see of a workflow in the Temporal UI: search attributes and words."""

from typing import Final

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

TENANT = SearchAttributeKey.for_keyword("TenantId")
CAMPAIGN = SearchAttributeKey.for_keyword("CampaignId")
KIND = SearchAttributeKey.for_keyword("Kind")
# Not Status: the CLI and the UI take that for a keyword of their query language.
STATE = SearchAttributeKey.for_keyword("State")

_LONGEST_SUMMARY: Final = 400


def attributes(
    *, tenant_id: str, campaign_id: str, kind: str, status: str
) -> TypedSearchAttributes:
    """The four attributes that every workflow starts with."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT, tenant_id),
            SearchAttributePair(CAMPAIGN, campaign_id),
            SearchAttributePair(KIND, kind),
            SearchAttributePair(STATE, status),
        ]
    )


def campaign_workflow(campaign_id: str) -> str:
    """The id of a campaign's workflow."""
    return f"campaign:{campaign_id}"


def activity_workflow(activity_id: str) -> str:
    """The id of an activity's workflow."""
    return f"activity:{activity_id}"


def approval_workflow(approval_id: str) -> str:
    """The id of an approval's workflow."""
    return f"approval:{approval_id}"


def qbr_prep_workflow(company_id: str, kind: str) -> str:
    """The id of the preparation of a client's QBR, from everything (ai) or from its results."""
    return f"qbr-prep:{company_id}:{kind}"


def ai_summary_workflow(company_id: str) -> str:
    """The id of the writing of a client's summary."""
    return f"ai-summary:{company_id}"


def insight_workflow(company_id: str, period_type: str) -> str:
    """The id of the writing of an insight into a client's numbers over a kind of period."""
    return f"insight:{company_id}:{period_type}"


def in_summary(words: str) -> str:
    """Words that are short enough for a workflow's summary, of which Temporal takes 400 bytes."""
    return words.encode()[:_LONGEST_SUMMARY].decode(errors="ignore")
