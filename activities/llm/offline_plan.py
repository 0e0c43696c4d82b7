"""The plan that needs no model: research first, one activity a deliverable, reports last."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from models.rules.plans import MAX_PROMPT, MAX_TITLE

RESEARCH_KEY = "research"
_REPORT = "performance_report"
_WRITER = "copywriter"

_ROLES: Final[Mapping[str, str]] = {
    "blog_post": _WRITER,
    "social_post": "social_media_manager",
    "gbp_post": "social_media_manager",
    "ad_copy": "ads_specialist",
    "email_newsletter": "email_marketer",
    "backlink": "seo_specialist",
    "website_audit": "seo_specialist",
    _REPORT: "analyst",
}
# What costs money or reaches strangers when it goes wrong is looked at harder.
_RISKS: Final[Mapping[str, str]] = {
    "ad_copy": "medium",
    "email_newsletter": "medium",
    "backlink": "medium",
}
_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "blog_post": ("blog post", "blog posts"),
    "social_post": ("social post", "social posts"),
    "gbp_post": ("Google Business Profile post", "Google Business Profile posts"),
    "ad_copy": ("set of ad copy", "sets of ad copy"),
    "email_newsletter": ("newsletter", "newsletters"),
    "backlink": ("backlink", "backlinks"),
    "website_audit": ("website audit", "website audits"),
    _REPORT: ("performance report", "performance reports"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverable:
    """What a campaign has to deliver, of one type."""

    id: str
    type: str
    quantity: int


def plan_activities(
    deliverables: Sequence[Deliverable], *, about: str, brief: str
) -> list[dict[str, Any]]:
    """Plan the activities in the shape `submit_plan` takes; the sum per deliverable is exact."""
    plan = [_research(about, brief)]
    keys = _keys(deliverables)
    makers = [key for key, wanted in zip(keys, deliverables, strict=True) if wanted.type != _REPORT]
    for key, wanted in zip(keys, deliverables, strict=True):
        after = [RESEARCH_KEY, *makers] if wanted.type == _REPORT else [RESEARCH_KEY]
        plan.append(_item(key, wanted, after, about))
    return plan


def label(activity_type: str, quantity: int) -> str:
    """Say a quantity of a type in words, for example "4 blog posts"."""
    plain = activity_type.replace("_", " ")
    one, many = _LABELS.get(activity_type, (plain, plain))
    return f"1 {one}" if quantity == 1 else f"{quantity} {many}"


def _keys(deliverables: Sequence[Deliverable]) -> list[str]:
    seen: Counter[str] = Counter()
    keys = []
    for wanted in deliverables:
        seen[wanted.type] += 1
        keys.append(f"{wanted.type}_{seen[wanted.type]}")
    return keys


def _research(about: str, brief: str) -> dict[str, Any]:
    return {
        "key": RESEARCH_KEY,
        "title": f"Research: {about}"[:MAX_TITLE],
        "type": "research",
        "role": "strategist",
        "deliverableId": None,
        "quantity": 1,
        "dependsOn": [],
        "prompt": (
            "Work out who the campaign speaks to, which angles fit, which words they search for "
            f"and what we must not claim. The brief: {brief.strip() or 'none was given'}"
        )[:MAX_PROMPT],
        "risk": "low",
    }


def _item(key: str, wanted: Deliverable, after: list[str], about: str) -> dict[str, Any]:
    what = label(wanted.type, wanted.quantity)
    return {
        "key": key,
        "title": f"{what[0].upper()}{what[1:]}: {about}"[:MAX_TITLE],
        "type": wanted.type,
        "role": _ROLES.get(wanted.type, _WRITER),
        "deliverableId": wanted.id,
        "quantity": wanted.quantity,
        "dependsOn": after,
        "prompt": (
            f"Produce {what} for {about}, built on the results of the work it depends on. Keep to "
            "the brief, and give each piece an angle of its own."
        ),
        "risk": _RISKS.get(wanted.type, "low"),
    }
