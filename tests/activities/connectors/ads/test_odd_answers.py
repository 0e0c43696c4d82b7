"""Whatever a platform sends, what comes out is rows or one of the four errors."""

import contextlib
import random
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    QuotaExhausted,
    RequestRefused,
)
from activities.connectors.meta_ads import MetaAds
from tests.activities.connectors.ads.cases import BASE, CASES
from tests.activities.connectors.ads.test_every_platform import READS

FOUR = (CredentialsRejected, PlatformBusy, QuotaExhausted, RequestRefused)
ODD: list[Any] = [
    "\x00",
    None,
    True,
    -1,
    0,
    1.5,
    "",
    "x",
    "NaN",
    "9" * 400,
    [],
    {},
    [[]],
    [None],
    {"a": 1},
]


@pytest.mark.parametrize("name", CASES)
@given(seed=st.integers(0, 10**9), status=st.sampled_from([200, 200, 200, 400, 404, 500]))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
async def test_an_answer_that_is_bent_somewhere_is_read_or_refused(
    name: str, seed: int, status: int
) -> None:
    case = CASES[name]()
    chance = random.Random(seed)
    async with case.http:
        real = case.http._transport

        async def bend(request: httpx.Request) -> httpx.Response:
            answer = await real.handle_async_request(request)
            body = orjson.loads(await answer.aread())
            return httpx.Response(status, content=orjson.dumps(bent(body, chance)))

        case.http._transport = httpx.MockTransport(bend)
        if name == "meta":
            case.connector = MetaAds(case.http, BASE, poll_seconds=0, longest_seconds=0)
        for read in READS.values():
            with contextlib.suppress(*FOUR):
                await read(case)


def bent(body: Any, chance: random.Random) -> Any:
    """The same with something else in one place."""
    if isinstance(body, dict) and body and chance.random() < 0.9:
        key = chance.choice(sorted(body))
        if chance.random() < 0.1:
            return {other: one for other, one in body.items() if other != key}
        return {**body, key: bent(body[key], chance)}
    if isinstance(body, list) and body and chance.random() < 0.9:
        place = chance.randrange(len(body))
        return [*body[:place], bent(body[place], chance), *body[place + 1 :]]
    return chance.choice(ODD)
