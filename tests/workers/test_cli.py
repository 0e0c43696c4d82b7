"""The commands refuse what makes no sense, in words."""

from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from models.settings import settings
from workers.cli import app
from workers.tenants import DEMO


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THROUGHLINE_DATA_DIR", str(tmp_path / "data"))
    settings.cache_clear()
    yield tmp_path / "data"
    settings.cache_clear()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "either"),
        (["X", "--all"], "either"),
        (["X", "--reject"], "--note"),
        (["X", "--reject", "--revise", "--note", "n"], "either"),
        (["--all"], "no stack"),
    ],
)
def test_approve_says_what_it_needs(data_dir: Path, arguments: list[str], reason: str):
    answer = CliRunner().invoke(app, ["approve", *arguments])
    assert answer.exit_code != 0
    assert reason in answer.output


def test_token_prints_one_for_the_demo_s_people(data_dir: Path):
    answer = CliRunner().invoke(app, ["token", "--role", "reviewer", "--hours", "1"])
    claims = jwt.decode(answer.stdout.strip(), options={"verify_signature": False})
    assert (claims["tenant"], claims["role"]) == (DEMO.id, "reviewer")
    assert claims["exp"] - claims["iat"] == 3600


def test_token_for_another_tenant_needs_a_user(data_dir: Path):
    answer = CliRunner().invoke(app, ["token", "--tenant", "01ARZ3NDEKTSV4RRFFQ69G5FAV"])
    assert answer.exit_code != 0
    assert "--user" in answer.output


def test_a_brief_that_cannot_be_used_stops_before_anything_starts(data_dir: Path):
    answer = CliRunner().invoke(app, ["demo", "--once", "--brief", str(data_dir / "none.md")])
    assert answer.exit_code == 1
    assert "cannot be read" in answer.output
    assert not (data_dir / "postgres").exists()


HISTORIES = Path(__file__).parent.parent / "histories"


def test_replay_goes_through_saved_histories(data_dir: Path):
    files = [str(path) for path in sorted((HISTORIES / "approval").glob("*.json"))]
    answer = CliRunner().invoke(app, ["replay", *files])
    assert answer.exit_code == 0, answer.output
    assert f"{len(files)} replayed, 0 would not go on." in answer.output


def test_replay_tells_which_history_does_not_fit_the_code(data_dir: Path, tmp_path: Path):
    fits = (HISTORIES / "approval" / "approved.json").read_text()
    other = tmp_path / "other.json"
    other.write_text(fits.replace("EVENT_TYPE_TIMER_STARTED", "EVENT_TYPE_MARKER_RECORDED"))
    answer = CliRunner().invoke(app, ["replay", str(other)])
    assert answer.exit_code == 1
    assert "other" in answer.output


def test_replay_needs_to_know_what(data_dir: Path):
    answer = CliRunner().invoke(app, ["replay"])
    assert answer.exit_code != 0
