"""The vendors' list prices as known at release, dated; a deployment adds rows, it edits none.

Claude bills a write to its five-minute cache at 1.25 times the input price. OpenAI caches by
itself and bills no write, so its cache_write is the input price. Ollama and the offline writer
run on the deployment's own machines and cost nothing here.
"""

from datetime import date
from decimal import Decimal

from models.rules.money import Price, price_on

_CLAUDE_CACHE_WRITE = Decimal("1.25")
_SINCE_EVER = date(2020, 1, 1)


def _claude(model: str, since: date, tokens_in: str, tokens_out: str, cache_read: str) -> Price:
    return Price(
        model=model,
        adapter="claude",
        effective_from=since,
        input=Decimal(tokens_in),
        output=Decimal(tokens_out),
        cache_write=Decimal(tokens_in) * _CLAUDE_CACHE_WRITE,
        cache_read=Decimal(cache_read),
    )


def _openai(model: str, since: date, tokens_in: str, tokens_out: str, cache_read: str) -> Price:
    return Price(
        model=model,
        adapter="openai",
        effective_from=since,
        input=Decimal(tokens_in),
        output=Decimal(tokens_out),
        cache_write=Decimal(tokens_in),
        cache_read=Decimal(cache_read),
    )


def _free(model: str, adapter: str) -> Price:
    nothing = Decimal(0)
    return Price(
        model=model,
        adapter=adapter,
        effective_from=_SINCE_EVER,
        input=nothing,
        output=nothing,
        cache_write=nothing,
        cache_read=nothing,
    )


PRICES: tuple[Price, ...] = (
    _claude("claude-opus-4-1", date(2025, 8, 5), "15", "75", "1.50"),
    _claude("claude-sonnet-4-5", date(2025, 9, 29), "3", "15", "0.30"),
    _claude("claude-haiku-4-5", date(2025, 10, 15), "1", "5", "0.10"),
    _claude("claude-opus-4-5", date(2025, 11, 24), "5", "25", "0.50"),
    _claude("claude-sonnet-4-6", date(2026, 2, 17), "3", "15", "0.30"),
    _claude("claude-sonnet-5", date(2026, 6, 30), "2", "10", "0.20"),
    _claude("claude-opus-5", date(2026, 7, 24), "5", "25", "0.50"),
    _claude("claude-sonnet-5-5", date(2026, 9, 28), "2", "10", "0.20"),
    _claude("claude-sonnet-5-5", date(2026, 10, 7), "2", "10", "0.10"),
    _openai("gpt-4o-mini", date(2024, 10, 1), "0.15", "0.60", "0.075"),
    _openai("gpt-4.1", date(2025, 4, 14), "2", "8", "0.50"),
    _openai("gpt-5", date(2025, 8, 7), "1.25", "10", "0.125"),
    _openai("gpt-5-mini", date(2025, 8, 7), "0.25", "2", "0.025"),
    _openai("gpt-5-nano", date(2025, 8, 7), "0.05", "0.40", "0.005"),
    _openai("gpt-5.4-mini", date(2026, 3, 17), "0.75", "4.50", "0.075"),
    _openai("gpt-5.4-nano", date(2026, 3, 17), "0.20", "1.25", "0.02"),
    _free("llama3.1", "ollama"),
    _free("llama3.2", "ollama"),
    _free("qwen3", "ollama"),
    _free("offline", "offline"),
)


def price_of(adapter: str, model: str, day: date) -> Price:
    """Price of a model behind an adapter on a day; whatever runs on own machines is free."""
    if adapter in ("ollama", "offline"):
        return _free(model, adapter)
    return price_on((price for price in PRICES if price.adapter == adapter), model, day)
