"""`prove` itself, in small."""

import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_prove_kills_three_workers_and_finds_nothing_wrong():
    argv = [sys.executable, "-m", "workers", "prove", "--campaigns", "3", "--kills", "3"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All zero." in done.stdout
