"""Which writer an agent gets, by what is configured and where."""

from unittest.mock import MagicMock

import pytest
from pydantic import SecretStr

from activities.agents.runs import Writer
from models.settings import Settings
from workers.container import Container, build_llms


def names(**changes: object) -> dict[str, str]:
    bare = {"anthropic_api_key": None, "openai_api_key": None, "ollama_base_url": None}
    settings = Settings.model_validate(bare | changes)
    return {name: llm.name for name, llm in build_llms(settings).items()}


def test_on_one_machine_adapters_without_a_key_give_way_to_the_offline_writer():
    assert set(names(mode="embedded").values()) == {"offline"}


def test_a_key_brings_its_own_adapter_alone():
    found = names(mode="embedded", anthropic_api_key=SecretStr("key"))
    assert (found["claude"], found["openai"], found["ollama"]) == ("claude", "offline", "offline")


def test_an_ollama_address_is_enough_for_ollama():
    assert names(mode="embedded", ollama_base_url="http://127.0.0.1:1")["ollama"] == "ollama"


@pytest.mark.parametrize("name", ["claude", "openai", "ollama"])
def test_in_a_deployment_nothing_gives_way(name: str):
    assert names(mode="deployment")[name] == name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mode": "embedded"}, Writer(adapter="offline", model="offline")),
        ({"mode": "deployment"}, None),
        ({"mode": "deployment", "llm": "openai"}, None),
        (
            {"mode": "deployment", "anthropic_api_key": SecretStr("key"), "claude_model": "m"},
            Writer(adapter="claude", model="m"),
        ),
        (
            {"mode": "deployment", "llm": "ollama", "ollama_model": "m"},
            Writer(adapter="ollama", model="m"),
        ),
    ],
)
def test_texts_about_clients_have_a_writer_where_one_is_configured(
    changes: dict[str, object], expected: Writer | None
):
    bare = {"anthropic_api_key": None, "openai_api_key": None, "ollama_base_url": None}
    settings = Settings.model_validate(bare | changes)
    container = Container(
        settings=settings,
        db=MagicMock(),
        temporal=MagicMock(),
        llms=build_llms(settings),
        stripe=MagicMock(),
    )
    assert container.text_writer() == expected
