"""How often a principal may call: a token bucket each, kept by this process."""

import math
import time
from collections import OrderedDict

from models.errors import RateLimited

_KEPT = 20_000


class RateLimiter:
    """Refills steadily, so that a burst of a minute's worth is served and then slowed down."""

    def __init__(self, per_minute: int) -> None:
        self._capacity = float(per_minute)
        self._rate = per_minute / 60
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, principal: str) -> None:
        """Count one call; raises `RateLimited` with the time after which one fits again."""
        now = time.monotonic()
        left, then = self._buckets.get(principal, (self._capacity, now))
        left = min(self._capacity, left + (now - then) * self._rate)
        if left < 1:
            wait = math.ceil((1 - left) / self._rate)
            raise RateLimited("Too many calls; slow down.", retry_after=max(wait, 1))
        self._buckets[principal] = (left - 1, now)
        self._buckets.move_to_end(principal)
        if len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
