"""`python -m workers`: every command of the engine."""

from workers.cli import app

app()
