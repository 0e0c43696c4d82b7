import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.prices import PRICES, price_of
from activities.llm.sizing import TOOLS_OVERHEAD, prompt_bytes
from activities.ports import Message, Text, ToolResult, ToolUse
from models.errors import Unprocessable
from tests.activities.llm.turns import NOTE, make_request, said

TODAY = date(2026, 11, 22)


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_the_size_bounds_every_byte_that_is_sent(system, text, arguments):
    request = make_request(
        system=system,
        messages=(
            said(text),
            Message(role="assistant", blocks=(ToolUse(id="t", name="note", input=arguments),)),
            Message(role="user", blocks=(ToolResult(tool_use_id="t", output=text),)),
        ),
        tools=(NOTE,),
    )
    sent = [system, text, json.dumps(arguments), text, json.dumps(NOTE.input_schema)]
    assert prompt_bytes(request) >= sum(len(part.encode()) for part in sent) + TOOLS_OVERHEAD


def test_characters_count_with_all_their_bytes():
    plain, wide = (
        prompt_bytes(make_request(messages=(Message(role="user", blocks=(Text(text=text),)),)))
        for text in ("aaaa", "𝔞𝔞𝔞𝔞")
    )
    assert wide - plain == 12


def test_half_a_character_can_be_sized():
    assert prompt_bytes(make_request(system="\ud83d")) > 0


@pytest.mark.parametrize("adapter", ["ollama", "offline"])
def test_what_runs_on_own_machines_is_free_whatever_its_name(adapter):
    assert price_of(adapter, "mistral-nemo:12b", TODAY).output == Decimal(0)


def test_a_price_change_takes_effect_on_its_day():
    before, after = (
        price_of("claude", "claude-sonnet-5-5", date(2026, 10, day)).cache_read for day in (6, 7)
    )
    assert (before, after) == (Decimal("0.20"), Decimal("0.10"))


def test_a_hosted_model_without_a_price_is_refused():
    with pytest.raises(Unprocessable, match="claude-next"):
        price_of("claude", "claude-next", TODAY)


def test_a_model_is_never_billed_at_another_adapters_price():
    with pytest.raises(Unprocessable):
        price_of("claude", "llama3.1", TODAY)


def test_no_model_has_two_prices_from_one_day():
    rows = [(price.adapter, price.model, price.effective_from) for price in PRICES]
    assert len(set(rows)) == len(rows)


def test_claude_bills_a_cache_write_a_quarter_more_than_input():
    claude = [price for price in PRICES if price.adapter == "claude"]
    assert all(price.cache_write == price.input * Decimal("1.25") for price in claude)
