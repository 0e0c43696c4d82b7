import json

import pytest

from activities.llm.claude import ClaudeLlm
from activities.llm.sizing import prompt_bytes
from activities.ports import (
    LlmBusy,
    LlmRefused,
    Message,
    StopReason,
    Text,
    TextDelta,
    ToolResult,
    ToolUse,
    TurnEnd,
    Usage,
    UsageSoFar,
)
from tests.activities.llm.turns import NOTE, make_request, said, turn
from tests.fakes.llm_vendor import Counters, Reply, ToolCall

KEY = "sk-ant-test-0123456789"


@pytest.fixture
async def claude(vendor):
    llm = ClaudeLlm(KEY, base_url=vendor.url, timeout=0.5)
    yield llm
    await llm.close()


async def test_text_streams_in_pieces_that_make_up_the_answer(claude, vendor):
    vendor.say(Reply(text="Good work sells itself."))
    *parts, end = await turn(claude, make_request())
    deltas = [part.text for part in parts if isinstance(part, TextDelta)]
    assert len(deltas) == 4
    assert end.blocks == (Text(text="".join(deltas)),)
    assert end.stop_reason is StopReason.END


async def test_the_end_comes_once_and_last(claude, vendor):
    vendor.say(Reply(text="One two", tools=(ToolCall(name="note"),)))
    parts = await turn(claude, make_request(tools=(NOTE,)))
    assert [isinstance(part, TurnEnd) for part in parts].index(True) == len(parts) - 1


async def test_counters_come_before_the_first_word_and_are_whole_at_the_end(claude, vendor):
    counted = Counters(
        input_tokens=7, output_tokens=40, cache_write_tokens=100, cache_read_tokens=900
    )
    vendor.say(Reply(text="Hello there", counters=counted))
    parts = await turn(claude, make_request())
    assert parts[0] == UsageSoFar(
        usage=Usage(input_tokens=7, output_tokens=1, cache_write_tokens=100, cache_read_tokens=900)
    )
    assert parts[-1].usage == Usage(**counted.model_dump())


async def test_a_tool_call_arrives_with_its_input(claude, vendor):
    vendor.say(Reply(tools=(ToolCall(name="note", input={"text": "Größe — 70 %"}),)))
    end = (await turn(claude, make_request(tools=(NOTE,))))[-1]
    assert [(use.name, use.input) for use in end.blocks] == [("note", {"text": "Größe — 70 %"})]
    assert end.stop_reason is StopReason.TOOL_USE


async def test_parallel_tool_calls_keep_their_order_and_differ_in_id(claude, vendor):
    calls = tuple(ToolCall(name="note", input={"text": text}) for text in "abc")
    vendor.say(Reply(text="Three notes.", tools=calls))
    end = (await turn(claude, make_request(tools=(NOTE,))))[-1]
    uses = end.blocks[1:]
    assert [use.input["text"] for use in uses] == ["a", "b", "c"]
    assert len({use.id for use in uses}) == 3


async def test_a_tool_call_without_arguments_has_an_empty_input(claude, vendor):
    vendor.say(Reply(tools=(ToolCall(name="note", input=""),)))
    end = (await turn(claude, make_request(tools=(NOTE,))))[-1]
    assert end.blocks[0].input == {}


@pytest.mark.parametrize("raw", ['{"text": "no end', "[1, 2]", "null", "not json"])
async def test_a_malformed_tool_input_is_handed_on_as_such(claude, vendor, raw):
    vendor.say(Reply(tools=(ToolCall(name="note", input=raw),)))
    end = (await turn(claude, make_request(tools=(NOTE,))))[-1]
    assert end.blocks[0].input == {"_malformed": raw}


async def test_a_malformed_tool_input_is_cut_to_a_readable_length(claude, vendor):
    vendor.say(Reply(tools=(ToolCall(name="note", input="x" * 5000),)))
    end = (await turn(claude, make_request(tools=(NOTE,))))[-1]
    assert end.blocks[0].input == {"_malformed": "x" * 2000}


@pytest.mark.parametrize(
    ("stop", "reason"),
    [("max_tokens", StopReason.MAX_TOKENS), ("refusal", StopReason.REFUSED)],
)
async def test_the_reason_for_stopping_is_told(claude, vendor, stop, reason):
    vendor.say(Reply(text="So far", stop=stop))
    assert (await turn(claude, make_request()))[-1].stop_reason is reason


async def test_a_huge_answer_arrives_whole(claude, vendor):
    text = " ".join(str(number) for number in range(5_000))
    vendor.say(Reply(text=text))
    assert (await turn(claude, make_request()))[-1].blocks == (Text(text=text),)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
async def test_a_busy_vendor_is_worth_another_try(claude, vendor, status):
    vendor.say(Reply(status=status, retry_after=7))
    with pytest.raises(LlmBusy) as caught:
        await turn(claude, make_request())
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
async def test_a_refused_request_is_not_tried_again(claude, vendor, status):
    vendor.say(Reply(status=status, error="max_tokens is too large"))
    with pytest.raises(LlmRefused, match=rf"\({status}\): max_tokens is too large"):
        await turn(claude, make_request())


async def test_one_turn_is_one_call_whatever_the_vendor_answers(claude, vendor):
    vendor.say(Reply(status=529))
    with pytest.raises(LlmBusy):
        await turn(claude, make_request())
    assert len(vendor.calls) == 1


async def test_a_silent_vendor_is_busy(claude, vendor):
    vendor.say(Reply(text="late", stall=2.0))
    with pytest.raises(LlmBusy):
        await turn(claude, make_request())


async def test_a_stream_that_falls_silent_is_busy(claude, vendor):
    vendor.say(Reply(text="one two three", stall=2.0, stall_after=1))
    with pytest.raises(LlmBusy):
        await turn(claude, make_request())


async def test_an_unreachable_vendor_is_busy():
    llm = ClaudeLlm(KEY, base_url="http://127.0.0.1:9", timeout=1)
    with pytest.raises(LlmBusy):
        await turn(llm, make_request())
    await llm.close()


@pytest.mark.parametrize("cut", ["reset", "quiet", "error"])
async def test_a_cut_stream_is_busy_and_told_what_it_cost_so_far(claude, vendor, cut):
    vendor.say(Reply(text="one two three four", cut=cut, cut_after=2))
    parts = []
    with pytest.raises(LlmBusy):  # noqa: PT012
        async for part in claude.stream_turn(make_request()):
            parts.append(part)
    assert isinstance(parts[0], UsageSoFar)
    assert [part.text for part in parts[1:]] == ["one", " two"]
    assert not vendor.calls[0].finished


async def test_an_answer_cut_after_its_last_word_is_still_cut(claude, vendor):
    vendor.say(Reply(text="all words", cut="quiet", cut_after=2))
    with pytest.raises(LlmBusy):
        await turn(claude, make_request())


async def test_a_reader_that_leaves_early_closes_the_call(claude, vendor):
    vendor.say(Reply(text="word " * 5000, delay=0.001))
    parts = claude.stream_turn(make_request())
    await anext(parts)
    await parts.aclose()
    vendor.say(Reply(text="next"))
    assert (await turn(claude, make_request()))[-1].blocks == (Text(text="next"),)
    assert not vendor.calls[0].read_to_end


async def test_without_a_key_nothing_is_sent_and_the_variable_is_named(vendor):
    with pytest.raises(LlmRefused, match="set THROUGHLINE_ANTHROPIC_API_KEY"):
        await turn(ClaudeLlm(None, base_url=vendor.url), make_request())
    assert vendor.calls == []


async def test_an_error_never_repeats_the_key(vendor):
    llm = ClaudeLlm("bad-sk-ant-secret-0123", base_url=vendor.url)
    vendor.say(Reply(status=401, error="invalid key sk-ant-secret-0123"))
    with pytest.raises(LlmRefused) as caught:
        await turn(llm, make_request())
    await llm.close()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_tool_results_go_before_other_words_and_errors_are_marked(claude, vendor):
    use = ToolUse(id="t1", name="note", input={"text": "x"})
    result = ToolResult(tool_use_id="t1", output="full", is_error=True)
    await turn(
        claude,
        make_request(
            tools=(NOTE,),
            messages=(
                said("Go"),
                Message(role="assistant", blocks=(Text(text=" "), use)),
                Message(role="user", blocks=(Text(text="And now?"), result)),
            ),
        ),
    )
    _, assistant, user = vendor.calls[0].body["messages"]
    assert [block["type"] for block in assistant["content"]] == ["tool_use"]
    assert [block["type"] for block in user["content"]] == ["tool_result", "text"]
    assert user["content"][0]["is_error"] is True


async def test_a_growing_transcript_keeps_its_prefix_and_marks_where_it_ended(claude, vendor):
    first = make_request(tools=(NOTE,))
    longer = (*first.messages, said("Yes.", "assistant"), said("Go on."))
    await turn(claude, first)
    await turn(claude, make_request(tools=(NOTE,), messages=longer))
    before, after = (call.body for call in vendor.calls)
    assert _prompt(after).startswith(_prompt(before).removesuffix("]"))
    assert _marks(before["messages"]) == [0]
    assert _marks(after["messages"]) == [0, 2]
    assert before["tools"][-1]["cache_control"] == {"type": "ephemeral"}
    assert before["system"][-1]["cache_control"] == {"type": "ephemeral"}


async def test_a_request_never_carries_more_than_four_cache_marks(claude, vendor):
    messages = tuple(said(str(n), "user" if n % 2 == 0 else "assistant") for n in range(15))
    await turn(claude, make_request(tools=(NOTE, NOTE), messages=messages))
    assert json.dumps(vendor.calls[0].body).count("cache_control") == 4


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("claude-haiku-4-5", None),
        ("claude-sonnet-5", {"type": "disabled"}),
        ("claude-sonnet-5-5", {"type": "between_tools"}),
    ],
)
async def test_models_that_would_think_by_themselves_are_told_not_to(
    claude, vendor, model, thinking
):
    await turn(claude, make_request(model=model))
    assert vendor.calls[0].body.get("thinking") == thinking


async def test_the_reported_input_stays_below_the_size_reserved_for(claude):
    request = make_request(tools=(NOTE,))
    usage = (await turn(claude, request))[-1].usage
    counted = usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens
    assert 0 < counted <= prompt_bytes(request)


async def test_a_check_proves_key_and_model(claude):
    assert [(check.name, check.ok) for check in await claude.check("claude-haiku-4-5")] == [
        ("api_key_set", True),
        ("model_reachable", True),
    ]


@pytest.mark.parametrize(
    ("key", "model", "passed"),
    [
        (None, "claude-haiku-4-5", [False, False]),
        (KEY, "claude-unknown", [True, False]),
        ("bad-key", "claude-haiku-4-5", [True, False]),
    ],
)
async def test_a_failing_check_is_a_result_with_a_reason(vendor, key, model, passed):
    llm = ClaudeLlm(key, base_url=vendor.url)
    checks = await llm.check(model)
    await llm.close()
    assert [check.ok for check in checks] == passed
    assert checks[-1].detail


def _prompt(body):
    """The request as the vendor's cache sees it: in order, without the marks."""
    plain = json.loads(json.dumps(body), object_hook=_without_mark)
    return json.dumps([plain["tools"], plain["system"], *plain["messages"]])


def _without_mark(value):
    return {name: inner for name, inner in value.items() if name != "cache_control"}


def _marks(messages):
    return [
        place for place, message in enumerate(messages) if "cache_control" in json.dumps(message)
    ]
