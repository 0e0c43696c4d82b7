"""The recalculation of revenue on the wire."""

from pydantic import ConfigDict

from api.http.wire import Snake


class RecalculatedOut(Snake):
    """What a recalculation changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"updated": 31, "tier_changes": 2}]})

    updated: int
    """Clients whose revenue score or tier score is another than before."""
    tier_changes: int
    """Those of them whose tier is another."""
