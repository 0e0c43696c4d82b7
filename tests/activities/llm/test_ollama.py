import pytest

from activities.llm.ollama import OllamaLlm
from activities.ports import LlmBusy, LlmRefused, StopReason, Text
from tests.activities.llm.turns import NOTE, make_request, turn
from tests.fakes.llm_vendor import Reply, ToolCall


@pytest.fixture
async def ollama(vendor):
    llm = OllamaLlm(base_url=vendor.url, timeout=0.5)
    yield llm
    await llm.close()


async def test_a_turn_needs_no_key(ollama, vendor):
    vendor.say(Reply(text="From this machine."))
    end = (await turn(ollama, make_request(model="llama3.1")))[-1]
    assert end.blocks == (Text(text="From this machine."),)


async def test_the_limit_is_named_as_ollama_knows_it(ollama, vendor):
    await turn(ollama, make_request(model="llama3.1", max_output_tokens=99))
    assert vendor.calls[0].body["max_tokens"] == 99
    assert "max_completion_tokens" not in vendor.calls[0].body


async def test_parallel_calls_that_share_one_index_stay_apart(ollama, vendor):
    calls = tuple(ToolCall(name="note", input={"text": text}) for text in "abc")
    vendor.say(Reply(tools=calls, reuses_tool_index=True))
    end = (await turn(ollama, make_request(model="llama3.1", tools=(NOTE,))))[-1]
    assert [use.input for use in end.blocks] == [{"text": text} for text in "abc"]
    assert end.stop_reason is StopReason.TOOL_USE


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_name_the_version_or_not(vendor, path):
    llm = OllamaLlm(base_url=vendor.url + path)
    vendor.say(Reply(text="Here"))
    assert (await turn(llm, make_request(model="llama3.1")))[-1].blocks == (Text(text="Here"),)
    await llm.close()


async def test_a_model_that_is_not_pulled_is_refused(ollama, vendor):
    vendor.say(Reply(status=404, error="model 'qwen3' not found"))
    with pytest.raises(LlmRefused, match="qwen3"):
        await turn(ollama, make_request(model="qwen3"))


async def test_a_machine_that_is_off_is_busy():
    llm = OllamaLlm(base_url="http://127.0.0.1:9", timeout=1)
    with pytest.raises(LlmBusy):
        await turn(llm, make_request(model="llama3.1"))
    await llm.close()


@pytest.mark.parametrize("model", ["llama3.1", "llama3.1:latest"])
async def test_a_pulled_model_is_reachable_with_or_without_its_tag(ollama, model):
    assert [(check.name, check.ok) for check in await ollama.check(model)] == [
        ("model_reachable", True)
    ]


async def test_a_check_says_how_to_get_a_missing_model(ollama):
    (check,) = await ollama.check("qwen3")
    assert not check.ok
    assert "ollama pull qwen3" in str(check.detail)


async def test_a_check_of_a_machine_that_is_off_is_a_result():
    llm = OllamaLlm(base_url="http://127.0.0.1:9", timeout=1)
    (check,) = await llm.check("llama3.1")
    await llm.close()
    assert not check.ok
    assert "127.0.0.1:9" in str(check.detail)
