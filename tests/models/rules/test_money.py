from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Unprocessable
from models.rules.money import MICRO_DOLLAR, Price, cost, price_on, worst_case

TOKENS = st.integers(min_value=0, max_value=10_000_000)
DOLLARS = st.decimals(min_value=0, max_value=1000, places=4)
PRICES = st.builds(
    Price,
    model=st.just("m"),
    adapter=st.just("claude"),
    effective_from=st.just(date(2025, 1, 1)),
    input=DOLLARS,
    output=DOLLARS,
    cache_write=DOLLARS,
    cache_read=DOLLARS,
)


def make_price(**overrides):
    return Price(
        **{
            "model": "claude-sonnet-4-5",
            "adapter": "claude",
            "effective_from": date(2025, 9, 29),
            "input": Decimal(3),
            "output": Decimal(15),
            "cache_write": Decimal("3.75"),
            "cache_read": Decimal("0.30"),
            **overrides,
        }
    )


def count(price, tokens_in=0, tokens_out=0, written=0, read=0):
    return cost(
        price,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cache_write_tokens=written,
        cache_read_tokens=read,
    )


def test_each_counter_is_billed_at_its_own_price():
    assert count(make_price(), 1000, 100, 200, 4000) == Decimal("0.006450")


def test_one_token_at_one_dollar_a_million_is_one_micro_dollar():
    assert count(make_price(input=Decimal(1)), 1) == MICRO_DOLLAR


def test_half_a_micro_dollar_rounds_up():
    assert count(make_price(cache_read=Decimal("0.5")), read=1) == MICRO_DOLLAR


def test_a_sum_is_rounded_once_not_per_counter():
    price = make_price(input=Decimal("0.3"), output=Decimal("0.3"))
    assert count(price, 1, 1) == MICRO_DOLLAR


def test_a_free_model_costs_nothing_at_any_size():
    free = make_price(
        input=Decimal(0), output=Decimal(0), cache_write=Decimal(0), cache_read=Decimal(0)
    )
    assert worst_case(free, prompt_bytes=10**9, max_output_tokens=10**6) == 0


def test_the_worst_case_bills_the_prompt_as_a_cache_write():
    assert worst_case(make_price(), prompt_bytes=1000, max_output_tokens=100) == Decimal("0.00525")


def test_the_worst_case_rounds_up():
    tiny = make_price(input=Decimal("0.01"), cache_write=Decimal("0.01"))
    assert worst_case(tiny, prompt_bytes=1, max_output_tokens=0) == MICRO_DOLLAR


@given(price=PRICES, counters=st.tuples(TOKENS, TOKENS, TOKENS, TOKENS))
def test_no_turn_within_its_limits_costs_more_than_its_worst_case(price, counters):
    tokens_in, tokens_out, written, read = counters
    bound = worst_case(price, prompt_bytes=tokens_in + written + read, max_output_tokens=tokens_out)
    assert count(price, *counters) <= bound


@given(price=PRICES, counters=st.tuples(TOKENS, TOKENS, TOKENS, TOKENS))
def test_a_cost_is_within_half_a_micro_dollar_of_the_exact_sum(price, counters):
    rates = (price.input, price.output, price.cache_write, price.cache_read)
    exact = sum(rate * tokens for rate, tokens in zip(rates, counters, strict=True)) / 10**6
    assert abs(count(price, *counters) - exact) <= MICRO_DOLLAR / 2


@given(price=PRICES, counters=st.tuples(TOKENS, TOKENS, TOKENS, TOKENS))
def test_a_cost_has_at_most_six_decimals(price, counters):
    assert count(price, *counters).as_tuple().exponent == -6


@given(
    price=PRICES,
    bytes_=TOKENS,
    output=TOKENS,
    more=st.integers(min_value=0, max_value=1000),
)
def test_a_larger_request_never_has_a_smaller_worst_case(price, bytes_, output, more):
    small = worst_case(price, prompt_bytes=bytes_, max_output_tokens=output)
    large = worst_case(price, prompt_bytes=bytes_ + more, max_output_tokens=output + more)
    assert small <= large


def test_the_newest_price_in_effect_is_picked():
    old, new, later = (
        make_price(effective_from=date(2025, month, 1), input=Decimal(month)) for month in (1, 5, 9)
    )
    assert price_on([new, later, old], "claude-sonnet-4-5", date(2025, 6, 1)) == new


def test_a_price_is_in_effect_on_its_first_day():
    price = make_price()
    assert price_on([price], price.model, price.effective_from) == price


@pytest.mark.parametrize(
    ("snapshot", "model"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("gpt-5-2025-08-07", "gpt-5"),
        ("llama3.1:8b-instruct-q4", "llama3.1"),
    ],
)
def test_a_snapshot_has_the_price_of_its_model(snapshot, model):
    price = make_price(model=model)
    assert price_on([price], snapshot, date(2026, 1, 1)) == price


def test_a_model_is_never_priced_as_another_whose_name_it_begins_with():
    with pytest.raises(Unprocessable):
        price_on([make_price(model="gpt-5")], "gpt-5-mini", date(2026, 1, 1))


def test_a_missing_price_names_the_model():
    with pytest.raises(Unprocessable, match="gpt-9"):
        price_on([make_price()], "gpt-9", date(2026, 1, 1))


def test_a_price_is_not_in_effect_the_day_before():
    price = make_price()
    with pytest.raises(Unprocessable):
        price_on([price], price.model, price.effective_from - timedelta(days=1))
