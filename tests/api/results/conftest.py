"""The fixtures of the agents' routes serve this area too."""

from tests.api.agents.conftest import foreign_records, records

__all__ = ["foreign_records", "records"]
