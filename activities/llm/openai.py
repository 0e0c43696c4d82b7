"""OpenAI, or any hosted service that speaks its chat-completions protocol."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from activities.llm.chat_completions import TIMEOUT_SECONDS, connect, look_up, stream_chat
from activities.ports import Check, LlmRefused, StreamPart, TurnRequest

BASE_URL = "https://api.openai.com/v1"
NO_KEY = "OpenAI has no key: set THROUGHLINE_OPENAI_API_KEY to use it."


class OpenAiLlm:
    """OpenAI behind the `Llm` protocol; without a key it refuses every turn."""

    def __init__(
        self,
        api_key: str | None,
        *,
        base_url: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._sdk = connect(api_key, base_url or BASE_URL, timeout) if api_key else None

    @property
    def name(self) -> str:
        """The adapter's name."""
        return "openai"

    async def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        """Stream one turn; OpenAI tells its counters only with the last event."""
        if self._sdk is None:
            raise LlmRefused(NO_KEY)
        parts = stream_chat(self._sdk, request, vendor="OpenAI", newer_limit=True)
        async with aclosing(parts):
            async for part in parts:
                yield part

    async def check(self, model: str) -> Sequence[Check]:
        """Look the model up with the key: proves key, network and model, and costs nothing."""
        if self._sdk is None:
            return (
                Check(name="api_key_set", ok=False, detail=NO_KEY),
                Check(name="model_reachable", ok=False, detail="Not tried without a key."),
            )
        reached = await look_up(self._sdk, model, vendor="OpenAI")
        return (Check(name="api_key_set", ok=True), reached)

    async def close(self) -> None:
        """Close the connections to the vendor."""
        if self._sdk is not None:
            await self._sdk.close()
