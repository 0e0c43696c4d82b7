"""Ports, pids and children: what the supervisor may rely on."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from workers.processes import ProcessId, end_leftovers, free_port, spawn, wait_for_port


def listening(port: int = 0) -> socket.socket:
    server = socket.socket()
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_a_free_port_that_is_preferred_is_taken():
    with listening() as server:
        wanted = server.getsockname()[1]
    assert free_port(wanted) == wanted


def test_the_next_choice_counts_when_the_first_is_in_use():
    with listening() as first, listening() as second:
        taken, also_taken = first.getsockname()[1], second.getsockname()[1]
        assert free_port(taken, None, also_taken) not in (taken, also_taken, 0)


def test_a_pid_that_was_given_to_somebody_else_is_left_alone():
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with stranger:
        earlier = ProcessId(pid=stranger.pid, started=ProcessId.of(stranger.pid).started - 60)
        assert end_leftovers([earlier]) == []
        assert stranger.poll() is None


def test_a_child_that_ignores_the_request_is_ended_by_force(tmp_path: Path):
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('ready', flush=True); time.sleep(60)"
    )
    child = spawn("deaf", [sys.executable, "-c", script], tmp_path / "deaf.log")
    while "ready" not in child.last_words():
        assert child.alive
    child.stop(patience=0.2)
    assert child.process.returncode == -signal.SIGKILL


def test_a_child_that_dies_at_its_start_says_why(tmp_path: Path):
    argv = [sys.executable, "-c", "raise SystemExit('no such host')"]
    child = spawn("failing", argv, tmp_path / "logs" / "failing.log")
    with pytest.raises(RuntimeError, match="no such host"):
        wait_for_port(free_port(), child, patience=20)


def test_logs_are_for_their_owner_alone(tmp_path: Path):
    child = spawn("quiet", [sys.executable, "-c", ""], tmp_path / "quiet.log")
    child.process.wait(20)
    assert (tmp_path / "quiet.log").stat().st_mode & 0o077 == 0
