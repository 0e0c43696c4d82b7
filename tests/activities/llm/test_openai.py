import pytest

from activities.llm.openai import OpenAiLlm
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
    Usage,
    UsageSoFar,
)
from tests.activities.llm.turns import NOTE, said, turn
from tests.activities.llm.turns import make_request as make_any_request
from tests.fakes.llm_vendor import Counters, Reply, ToolCall

KEY = "sk-proj-test-0123456789"


@pytest.fixture
async def openai(vendor):
    llm = OpenAiLlm(KEY, base_url=f"{vendor.url}/v1", timeout=0.5)
    yield llm
    await llm.close()


def make_request(**overrides):
    return make_any_request(**{"model": "gpt-5-mini", **overrides})


async def test_text_streams_in_pieces_that_make_up_the_answer(openai, vendor):
    vendor.say(Reply(text="Good work sells itself."))
    *parts, end = await turn(openai, make_request())
    deltas = [part.text for part in parts if isinstance(part, TextDelta)]
    assert len(deltas) == 4
    assert end.blocks == (Text(text="".join(deltas)),)
    assert end.stop_reason is StopReason.END


async def test_cached_tokens_are_counted_apart_from_the_input(openai, vendor):
    vendor.say(
        Reply(
            text="Hi",
            counters=Counters(input_tokens=100, cache_read_tokens=900, output_tokens=5),
        )
    )
    *_, so_far, end = await turn(openai, make_request())
    assert so_far == UsageSoFar(usage=end.usage)
    assert end.usage == Usage(input_tokens=100, cache_read_tokens=900, output_tokens=5)


async def test_a_vendor_that_tells_no_counters_is_billed_at_the_worst_case(openai, vendor):
    vendor.say(Reply(text="Hi", tells_counters=False))
    request = make_request()
    assert (await turn(openai, request))[-1].usage == Usage(
        input_tokens=prompt_bytes(request), output_tokens=request.max_output_tokens
    )


async def test_tool_calls_arrive_in_order_with_their_inputs(openai, vendor):
    calls = tuple(ToolCall(name="note", input={"text": text}) for text in ("a", "größer"))
    vendor.say(Reply(text="Two.", tools=calls))
    end = (await turn(openai, make_request(tools=(NOTE,))))[-1]
    assert [use.input["text"] for use in end.blocks[1:]] == ["a", "größer"]
    assert len({use.id for use in end.blocks[1:]}) == 2
    assert end.stop_reason is StopReason.TOOL_USE


@pytest.mark.parametrize("raw", ['{"text": "no end', "[1]", "x" * 2000])
async def test_a_malformed_tool_input_is_handed_on_as_such(openai, vendor, raw):
    vendor.say(Reply(tools=(ToolCall(name="note", input=raw),)))
    end = (await turn(openai, make_request(tools=(NOTE,))))[-1]
    assert end.blocks[0].input == {"_malformed": raw}


@pytest.mark.parametrize(
    ("stop", "reason"),
    [("max_tokens", StopReason.MAX_TOKENS), ("refusal", StopReason.REFUSED)],
)
async def test_the_reason_for_stopping_is_told(openai, vendor, stop, reason):
    vendor.say(Reply(text="So far", stop=stop))
    assert (await turn(openai, make_request()))[-1].stop_reason is reason


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
async def test_a_busy_vendor_is_worth_another_try(openai, vendor, status):
    vendor.say(Reply(status=status, retry_after=3))
    with pytest.raises(LlmBusy) as caught:
        await turn(openai, make_request())
    assert caught.value.retry_after == 3
    assert len(vendor.calls) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_a_refused_request_is_not_tried_again(openai, vendor, status):
    vendor.say(Reply(status=status, error="unknown parameter"))
    with pytest.raises(LlmRefused, match=rf"\({status}\): unknown parameter"):
        await turn(openai, make_request())


async def test_a_silent_vendor_is_busy(openai, vendor):
    vendor.say(Reply(text="late", stall=2.0))
    with pytest.raises(LlmBusy):
        await turn(openai, make_request())


async def test_a_stream_that_falls_silent_is_busy(openai, vendor):
    vendor.say(Reply(text="one two three", stall=2.0, stall_after=1))
    with pytest.raises(LlmBusy):
        await turn(openai, make_request())


async def test_an_unreachable_vendor_is_busy():
    llm = OpenAiLlm(KEY, base_url="http://127.0.0.1:9/v1", timeout=1)
    with pytest.raises(LlmBusy):
        await turn(llm, make_request())
    await llm.close()


@pytest.mark.parametrize("cut", ["reset", "quiet", "error"])
async def test_a_cut_stream_is_busy(openai, vendor, cut):
    vendor.say(Reply(text="one two three four", cut=cut, cut_after=2))
    parts = []
    with pytest.raises(LlmBusy):  # noqa: PT012
        async for part in openai.stream_turn(make_request()):
            parts.append(part)
    assert [part.text for part in parts] == ["one", " two"]


async def test_a_reader_that_leaves_early_closes_the_call(openai, vendor):
    vendor.say(Reply(text="word " * 5000, delay=0.001))
    parts = openai.stream_turn(make_request())
    await anext(parts)
    await parts.aclose()
    vendor.say(Reply(text="next"))
    assert (await turn(openai, make_request()))[-1].blocks == (Text(text="next"),)
    assert not vendor.calls[0].read_to_end


async def test_without_a_key_nothing_is_sent_and_the_variable_is_named(vendor):
    with pytest.raises(LlmRefused, match="set THROUGHLINE_OPENAI_API_KEY"):
        await turn(OpenAiLlm(None, base_url=vendor.url), make_request())
    assert vendor.calls == []


async def test_an_error_never_repeats_the_key(openai, vendor):
    vendor.say(Reply(status=401, error=f"Incorrect API key provided: {KEY}."))
    with pytest.raises(LlmRefused) as caught:
        await turn(openai, make_request())
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_transcript_is_written_in_the_vendors_words(openai, vendor):
    use = ToolUse(id="t1", name="note", input={"text": "x"})
    results = (
        Text(text="And now?"),
        ToolResult(tool_use_id="t1", output="full", is_error=True),
    )
    await turn(
        openai,
        make_request(
            tools=(NOTE,),
            messages=(
                said("Go"),
                Message(role="assistant", blocks=(use,)),
                Message(role="user", blocks=results),
            ),
        ),
    )
    assert vendor.calls[0].body["messages"] == [
        {"role": "system", "content": "You write for a marketing agency."},
        {"role": "user", "content": "Go"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "type": "function",
                    "id": "t1",
                    "function": {"name": "note", "arguments": '{"text": "x"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "ERROR: full"},
        {"role": "user", "content": "And now?"},
    ]


async def test_the_limit_is_named_as_reasoning_models_want_it(openai, vendor):
    await turn(openai, make_request(max_output_tokens=321))
    assert vendor.calls[0].body["max_completion_tokens"] == 321
    assert "max_tokens" not in vendor.calls[0].body


@pytest.mark.parametrize(
    ("key", "model", "passed"),
    [
        (KEY, "gpt-5-mini", [True, True]),
        (None, "gpt-5-mini", [False, False]),
        (KEY, "gpt-unknown", [True, False]),
        ("bad-key", "gpt-5-mini", [True, False]),
    ],
)
async def test_a_check_tells_key_and_model_apart(vendor, key, model, passed):
    llm = OpenAiLlm(key, base_url=f"{vendor.url}/v1")
    checks = await llm.check(model)
    await llm.close()
    assert [check.name for check in checks] == ["api_key_set", "model_reachable"]
    assert [check.ok for check in checks] == passed
