"""What an update is told whose workflow continues as new before it has its answer.

Temporal forgets updates that were accepted and not answered by then. So the workflow refuses them
with this, and `api/http/commands.py` sends them again under the same id: the next run knows it.
"""

from typing import Final

from temporalio.exceptions import ApplicationError

RENEWED: Final = "Renewed"


def renewed() -> ApplicationError:
    """The refusal: nothing is lost, the same update meets the same work in the next run."""
    return ApplicationError("The workflow continues as new.", type=RENEWED, non_retryable=True)


def is_renewed(error: BaseException | None) -> bool:
    """Tell whether this is why an update failed."""
    return isinstance(error, ApplicationError) and error.type == RENEWED
