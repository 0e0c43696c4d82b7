"""What Prometheus is told about requests; routes by their template, never by their address."""

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

_REQUESTS: Final = Counter(
    "throughline_http_requests_total", "Requests answered.", ["method", "route", "status"]
)
_SECONDS: Final = Histogram(
    "throughline_http_request_seconds",
    "Time until the last byte, streams excepted.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_STREAMS: Final = Gauge("throughline_http_streams", "Event streams that are open.")

_counters: dict[tuple[str, str, int], Counter] = {}
_timers: dict[tuple[str, str], Histogram] = {}


def count(method: str, route: str, status: int) -> None:
    """Count an answered request."""
    found = _counters.get((method, route, status))
    if found is None:
        found = _counters[method, route, status] = _REQUESTS.labels(method, route, str(status))
    found.inc()


def time(method: str, route: str, seconds: float) -> None:
    """Note how long a request took."""
    found = _timers.get((method, route))
    if found is None:
        found = _timers[method, route] = _SECONDS.labels(method, route)
    found.observe(seconds)


def stream_opened() -> None:
    """Count an open stream."""
    _STREAMS.inc()


def stream_closed() -> None:
    """Uncount it."""
    _STREAMS.dec()


def exposition() -> Response:
    """Everything in the text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
