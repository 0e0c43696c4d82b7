"""The engines of the workflow tests, for recording."""

from tests.workflows.conftest import calendar, engine, studio

__all__ = ["calendar", "engine", "studio"]
