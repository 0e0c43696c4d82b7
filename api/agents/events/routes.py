"""The tenant's live feed."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.http.auth import Reader
from api.http.event_schema import event_schema
from api.http.sse import Follow, LastEventId
from api.http.tenant_events import event_stream
from models.rules.vocabulary import EventKind

router = APIRouter(prefix="/events", tags=["Events"])

_STREAM: dict[int | str, Any] = {
    200: {
        "description": "The tenant's events as they happen.",
        "content": {
            "text/event-stream": {
                "schema": event_schema(*EventKind),
                "example": (
                    "id: 7\nevent: approval_created\n"
                    'data: {"approvalId":"01K9APR0000000000000000001","type":"content_review",'
                    '"riskLevel":"medium","title":"Publish the post"}\n\n'
                ),
            }
        },
    }
}


@router.get(
    "/stream", summary="Follow the tenant's events", response_class=Response, responses=_STREAM
)
async def stream_events(reader: Reader, streams: Follow, last_event_id: LastEventId) -> Response:
    """Stream new events of the tenant, or those since Last-Event-ID from the last 24 hours."""
    return event_stream(streams, reader, last_event_id)
