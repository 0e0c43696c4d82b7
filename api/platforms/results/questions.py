"""Questions about a client's results, in plain words."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from activities.platforms.answers import Question
from api.http.problems import problems
from api.http.services import Given
from api.http.wire import Snake, UlidPath
from api.people.rights import ClientViewer
from models.ids import new_id

router = APIRouter(prefix="/{company_id}/results/ask", tags=["Results"])

_WHY = {
    429: "The user has asked 20 questions within 10 minutes; Retry-After says when one fits again.",
    502: "The model failed, or no answer of it could be taken.",
    503: "No model is configured, or the tenant's limit for the month leaves no room.",
}


def _said(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "Input should not be blank")
    return text.strip()


class QuestionIn(Snake):
    """A question about the client's numbers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "How did our ROAS develop this quarter?"}]}
    )

    question: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_said)]


class AnswerOut(Snake):
    """The answer, from what is stored of the client's platforms and nothing else."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answer": "In the quarter up to today ROAS came to 4.2, up 20 % on the one "
                    "before.\n\nSource: roas (quarter, 2026-01-01 to 2026-03-31)."
                }
            ]
        }
    )

    answer: str = Field(description="Ends with the metrics and the days that it rests on.")


@router.post(
    "", summary="Ask about a client's results", responses=problems(404, 429, 502, 503, why=_WHY)
)
async def ask_about_results(
    company_id: UlidPath, sent: QuestionIn, viewer: ClientViewer, services: Given
) -> AnswerOut:
    """Have a model answer a question about the client's numbers, from what is stored of them."""
    asked = Question(
        id=new_id(),
        tenant_id=viewer.tenant_id,
        company_id=company_id,
        principal_id=viewer.id,
        text=sent.question,
        at=datetime.now(UTC),
    )
    return AnswerOut(answer=await services.answers.answer(asked))
