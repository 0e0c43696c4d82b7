"""Whatever a platform sends, what comes out is rows or one of the four errors."""

import contextlib
import random
from datetime import date

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
from tests.activities.connectors.ads.test_odd_answers import bent
from tests.activities.connectors.platforms.cases import CASES, TODAY

FOUR = (CredentialsRejected, PlatformBusy, QuotaExhausted, RequestRefused)


@pytest.mark.parametrize("name", CASES)
@given(seed=st.integers(0, 10**9), status=st.sampled_from([200, 200, 200, 400, 403, 404, 500]))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
async def test_an_answer_that_is_bent_somewhere_is_read_or_refused(
    name: str, seed: int, status: int
) -> None:
    case = CASES[name]()
    chance = random.Random(seed)
    bent_place, place = chance.randrange(8), -1
    async with case.http:
        real = case.http._transport

        async def bend(request: httpx.Request) -> httpx.Response:
            nonlocal place
            place += 1
            answer = await real.handle_async_request(request)
            body = orjson.loads(await answer.aread())
            if place != bent_place:
                return httpx.Response(answer.status_code, content=orjson.dumps(body))
            return httpx.Response(status, content=orjson.dumps(bent(body, chance)))

        case.http._transport = httpx.MockTransport(bend)
        with contextlib.suppress(*FOUR):
            for row in await case.read(date(2026, 3, 28), TODAY):
                assert "\x00" not in (row.currency or "")
                assert row.value.is_finite()
        with contextlib.suppress(*FOUR):
            await case.connector.verify(case.credentials)
