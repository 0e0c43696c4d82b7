"""Models on the deployment's own machines, through Ollama's OpenAI-compatible endpoint."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from activities.llm.chat_completions import (
    CHECK_SECONDS,
    TIMEOUT_SECONDS,
    connect,
    stream_chat,
    translated_errors,
)
from activities.ports import Check, LlmBusy, LlmRefused, StreamPart, TurnRequest

BASE_URL = "http://127.0.0.1:11434"
# Ollama asks for no key, the SDK does; a proxy in front of it may want a real one.
_ANY_KEY = "ollama"


class OllamaLlm:
    """Ollama behind the `Llm` protocol; it needs no key and costs nothing."""

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        root = (base_url or BASE_URL).rstrip("/").removesuffix("/v1")
        self._url = root
        self._sdk = connect(api_key or _ANY_KEY, f"{root}/v1", timeout)

    @property
    def name(self) -> str:
        """The adapter's name."""
        return "ollama"

    async def stream_turn(self, request: TurnRequest) -> AsyncIterator[StreamPart]:
        """Stream one turn; the first one after a pause waits for the model to be loaded."""
        parts = stream_chat(self._sdk, request, vendor="Ollama", newer_limit=False)
        async with aclosing(parts):
            async for part in parts:
                yield part

    async def check(self, model: str) -> Sequence[Check]:
        """List the models; one that was never pulled is not reachable."""
        try:
            async with translated_errors("Ollama"):
                page = await self._sdk.models.list(timeout=CHECK_SECONDS)
        except (LlmBusy, LlmRefused) as error:
            detail = f"{error} ({self._url})"
            return (Check(name="model_reachable", ok=False, detail=detail),)
        return (_found(model, [entry.id for entry in page.data or ()]),)

    async def close(self) -> None:
        """Close the connections to Ollama."""
        await self._sdk.close()


def _found(model: str, pulled: Sequence[str]) -> Check:
    # A name without a tag means its latest.
    if model in pulled or f"{model}:latest" in pulled:
        return Check(name="model_reachable", ok=True, detail=model)
    known = ", ".join(sorted(pulled)) or "none"
    detail = f"{model} is not pulled (ollama pull {model}); there is: {known}."
    return Check(name="model_reachable", ok=False, detail=detail)
