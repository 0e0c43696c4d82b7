"""What a turn of a language model costs: dated prices, exact costs, and worst cases to reserve.

Prices are US dollars per million tokens; costs are kept to the micro-dollar, which is the price of
one token at one dollar a million, so that whole-dollar prices never round.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal

from models.errors import Unprocessable

MICRO_DOLLAR = Decimal("0.000001")
_MILLIONTHS = -6

# claude-sonnet-4-5-20250929, gpt-5-2025-08-07 and llama3.1:8b are priced as the model they name.
_SNAPSHOT = re.compile(r"(-\d{8}|-\d{4}-\d{2}-\d{2}|-latest|:[\w.-]+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model costs from a day on, in US dollars per million tokens of each kind."""

    model: str
    adapter: str
    effective_from: date
    input: Decimal
    output: Decimal
    cache_write: Decimal
    cache_read: Decimal


def cost(
    price: Price,
    *,
    input_tokens: int,
    output_tokens: int,
    cache_write_tokens: int,
    cache_read_tokens: int,
) -> Decimal:
    """Cost of the four counters, summed exactly and rounded once: half up, to the micro-dollar.

    `input_tokens` excludes both cache counters, as in `Usage`.
    """
    millionths = (
        price.input * input_tokens
        + price.output * output_tokens
        + price.cache_write * cache_write_tokens
        + price.cache_read * cache_read_tokens
    )
    return millionths.scaleb(_MILLIONTHS).quantize(MICRO_DOLLAR, rounding=ROUND_HALF_UP)


def worst_case(price: Price, *, prompt_bytes: int, max_output_tokens: int) -> Decimal:
    """Upper bound of a turn's cost before it is made, rounded up to the micro-dollar.

    A token is never less than one UTF-8 byte, so the prompt has at most `prompt_bytes` of them;
    each is billed at the dearest way to be read: plain, into the cache, or from it.
    """
    dearest = max(price.input, price.cache_write, price.cache_read)
    millionths = dearest * prompt_bytes + price.output * max_output_tokens
    return millionths.scaleb(_MILLIONTHS).quantize(MICRO_DOLLAR, rounding=ROUND_UP)


def price_on(prices: Iterable[Price], model: str, day: date) -> Price:
    """Pick the model's newest price in effect on a day; a snapshot has the price of its model.

    Raises:
        Unprocessable: no price is known, so that no turn is ever made at an unknown cost.
    """
    in_effect = [price for price in prices if price.effective_from <= day]
    for name in (model, _SNAPSHOT.sub("", model)):
        rows = [price for price in in_effect if price.model == name]
        if rows:
            return max(rows, key=lambda price: price.effective_from)
    raise Unprocessable(f"No price is known for the model {model} on {day.isoformat()}.")
