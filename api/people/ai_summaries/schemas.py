"""Summaries of clients on the wire."""

from pydantic import ConfigDict

from api.http.wire import Second, Snake
from models.queries.people.text_inputs import StoredSummary


class AiSummaryOut(Snake):
    """The summary of the relationship with a client."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ai_summary": "Acme is an active client in the tier core. The last QBR was "
                    "held on 2026-01-15.",
                    "ai_summary_generated_at": "2026-03-10T09:00:00Z",
                }
            ]
        }
    )

    ai_summary: str
    ai_summary_generated_at: Second

    @classmethod
    def of(cls, stored: StoredSummary) -> "AiSummaryOut":
        return cls(ai_summary=stored.text, ai_summary_generated_at=stored.generated_at)
