"""One stack a data folder, on the ports that it had before."""

import os
import stat
from pathlib import Path

import pytest

from models.settings import Settings
from workers.stack import (
    StackRecord,
    StackRunning,
    StackSecrets,
    choose_ports,
    embedded_environment,
    open_data_dir,
    running_stack,
    sole_stack,
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return open_data_dir(Settings(data_dir=tmp_path / "data"))


@pytest.fixture
def record(data_dir: Path) -> StackRecord:
    return choose_ports(data_dir, Settings())


def test_a_second_stack_is_told_where_the_first_one_is(data_dir: Path, record: StackRecord):
    with sole_stack(data_dir):
        record.save(data_dir)
        with pytest.raises(StackRunning, match=record.api_url), sole_stack(data_dir):
            pass


def test_a_folder_whose_stack_has_ended_is_free_again(data_dir: Path, record: StackRecord):
    with sole_stack(data_dir):
        record.save(data_dir)
        assert running_stack(data_dir) == record
    assert running_stack(data_dir) is None
    with sole_stack(data_dir):
        pass


def test_a_lock_dies_with_its_holder(data_dir: Path):
    child = os.fork()
    if child == 0:
        with sole_stack(data_dir):
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with sole_stack(data_dir):
        pass


def test_ports_are_kept_for_the_next_start(data_dir: Path, record: StackRecord):
    unusual = record.model_copy(update={"api_port": record.api_port + 1234})
    unusual.save(data_dir)
    assert choose_ports(data_dir, Settings()).api_port == unusual.api_port


def test_an_unreadable_record_is_as_good_as_none(data_dir: Path):
    (data_dir / "stack.json").write_text('{"pid": ')
    assert StackRecord.load(data_dir) is None


def test_secrets_stay_the_same_and_private(data_dir: Path):
    first = StackSecrets.of(data_dir)
    assert StackSecrets.of(data_dir) == first
    assert stat.S_IMODE((data_dir / "secrets.json").stat().st_mode) == 0o600


def test_the_application_never_learns_the_owner_s_password(data_dir: Path, record: StackRecord):
    known = StackSecrets.of(data_dir)
    environment = " ".join(embedded_environment(data_dir, record).values())
    assert known.app_password in environment
    assert known.owner_password not in environment
