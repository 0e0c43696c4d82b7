"""The tool by which an agent reads one public web page."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from activities.prompts.untrusted import fence
from activities.tools.ports import (
    ToolAnswer,
    ToolContext,
    ToolInput,
    ToolRefused,
    answer,
    read,
    spec,
)
from activities.tools.web.fetching import MAX_URL, Fetcher, FetchFailed, Page
from activities.tools.web.readable import to_text
from models.rules.roles import WEB_FETCH
from models.rules.text import storable

TIME_LIMIT = 15.0
LONGEST_TEXT = 40_000


class _Input(ToolInput):
    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL)] = Field(
        description="A whole http or https address."
    )


class WebFetch:
    """Fetches within limits; the page reaches the model as fenced material."""

    spec = spec(
        WEB_FETCH,
        "Fetch one public web page and read it as text. Not every page can be had: robots.txt is "
        "respected, and only text of up to 2 MB is read.",
        _Input,
    )

    def __init__(self, fetcher: Fetcher | None = None, time_limit: float = TIME_LIMIT) -> None:
        self._fetcher = fetcher or Fetcher()
        self._time_limit = time_limit

    async def call(self, context: ToolContext, input: Mapping[str, Any]) -> ToolAnswer:
        """Answer the page's text; that there is none is an answer as well."""
        asked = read(_Input, input)
        try:
            async with asyncio.timeout(self._time_limit):
                page = await self._fetcher.page(asked.url.strip())
        except FetchFailed as failed:
            raise ToolRefused(str(failed)) from failed
        except TimeoutError as error:
            raise ToolRefused(f"The page took longer than {self._time_limit:g} seconds.") from error
        text = await asyncio.to_thread(_readable, page)
        return answer(
            {
                "url": page.url,
                "contentType": page.kind,
                "text": fence(text[:LONGEST_TEXT], page.url),
                "truncated": len(text) > LONGEST_TEXT,
            }
        )


def _readable(page: Page) -> str:
    text = storable(page.text())
    html = page.kind in ("text/html", "application/xhtml+xml")
    return storable(to_text(text, page.url)) if html else text
