"""Dotted filters: `filter.status=draft,active`, several values by comma, unknown names refused.

`statuses: Annotated[Several[CampaignStatus] | None, Query(alias="filter.status")] = None`
"""

from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import BeforeValidator

from api.http.routing import RouteFacts
from models.errors import Invalid, ProblemItem

T = TypeVar("T")
_PREFIX = "filter."


def _split(value: Any) -> Any:
    """One value or several, in one parameter or several."""
    if not isinstance(value, list):
        return value
    return [
        part for text in value for part in (text.split(",") if isinstance(text, str) else [text])
    ]


Several = Annotated[list[T], BeforeValidator(_split)]
"""Any of these values; `Several[CampaignStatus] | None` with an alias in `Query`."""


def refuse_unknown_filters(request: Request, facts: RouteFacts) -> None:
    """Refuse a filter that the route does not have: ignoring it would show too much."""
    if _PREFIX.encode() not in request.scope["query_string"]:
        return
    known = facts.query_names
    unknown = [
        name for name in request.query_params if name.startswith(_PREFIX) and name not in known
    ]
    if unknown:
        items = [
            ProblemItem(location=f"query.{name}", message="Unknown filter") for name in unknown
        ]
        raise Invalid("There is no such filter here.", *items)
