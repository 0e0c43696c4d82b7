import socket
import subprocess
import sys
import time

import httpx
import pytest

from activities.llm.claude import ClaudeLlm
from activities.llm.openai import OpenAiLlm
from activities.ports import ToolSpec
from tests.activities.llm.turns import make_request, said, turn
from workers.wire_model import Reply, serve

DELIVERABLES = """The deliverables:
- id=01JD0000000000000000000001 type=blog_post quantity=4
- id=01JD0000000000000000000002 type=performance_report quantity=1
"""


@pytest.fixture(scope="module")
def server():
    with serve() as model:
        yield model


@pytest.fixture
def wire(server):
    server.reset()
    return server


@pytest.fixture(params=["claude", "openai"])
async def llm(request, wire):
    made: ClaudeLlm | OpenAiLlm = (
        ClaudeLlm("key", base_url=wire.url)
        if request.param == "claude"
        else OpenAiLlm("key", base_url=f"{wire.url}/v1")
    )
    yield made
    await made.close()


@pytest.fixture
async def http(wire):
    async with httpx.AsyncClient(base_url=wire.url) as http:
        yield http


def tool(name):
    return ToolSpec(name=name, description="", input_schema={"type": "object"})


async def test_it_plans_the_deliverables_it_finds_in_the_prompt(llm):
    request = make_request(messages=(said(DELIVERABLES),), tools=(tool("submit_plan"),))
    plan = (await turn(llm, request))[-1].blocks[-1].input["activities"]
    assert [(item["type"], item["quantity"]) for item in plan] == [
        ("research", 1),
        ("blog_post", 4),
        ("performance_report", 1),
    ]


async def test_it_agrees_in_a_review(llm):
    end = (await turn(llm, make_request(tools=(tool("submit_review"),))))[-1]
    assert end.blocks[-1].input["agrees"] is True


async def test_otherwise_it_writes_about_thirty_words_and_calls_no_tool(llm):
    end = (await turn(llm, make_request(tools=(tool("search"),))))[-1]
    (text,) = end.blocks
    assert 25 <= len(text.text.split()) <= 35


async def test_the_same_request_gets_the_same_answer(llm):
    first, second = [(await turn(llm, make_request()))[-1] for _ in range(2)]
    assert first == second


async def test_a_call_that_was_finished_twice_shows_as_repeated(llm, http):
    for text in ("one", "two", "two"):
        await turn(llm, make_request(messages=(said(text),)))
    told = (await http.get("/calls")).json()
    assert (told["total"], told["finished"], told["repeated"]) == (3, 3, 1)


async def test_a_call_that_was_cut_is_not_finished(wire, http):
    wire.say(Reply(text="a b c", cut="quiet", cut_after=1))
    body = {"model": "gpt-4.1", "messages": [], "stream": True}
    await http.post("/v1/chat/completions", json=body)
    (call,) = (await http.get("/calls?bodies=false")).json()["calls"]
    assert (call["finished"], call["read_to_end"], call["body"]) == (False, False, None)


async def test_another_process_can_script_it_and_reset_it(llm, http):
    await http.post("/script", json={"replies": [{"text": "as told"}], "delay": 0})
    assert (await turn(llm, make_request()))[-1].blocks[0].text == "as told"
    await http.post("/reset")
    assert (await http.get("/calls")).json()["total"] == 0


def test_it_runs_as_a_process_of_its_own():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "tests.fakes.llm_vendor", "--port", str(port)]
    with subprocess.Popen(command) as process:
        try:
            assert _answers(f"http://127.0.0.1:{port}/calls")
        finally:
            process.terminate()


def _answers(url):
    for _ in range(100):
        try:
            return httpx.get(url).status_code == 200
        except httpx.ConnectError:
            time.sleep(0.1)
    return False
