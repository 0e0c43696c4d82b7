"""How the input of a text is kept between the steps that make it."""

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.agents.runs import Writer
from activities.prompts.client_texts import prompt_version
from models.contracts.client_texts import Gathered, GatherSources, TextKind
from models.errors import Unavailable
from models.queries.people import text_drafts
from models.queries.people.text_inputs import TextInput

UNCONFIGURED = "No language model is configured for this deployment."


async def keep_input(
    db: AsyncConnection,
    gather: GatherSources,
    kind: TextKind,
    made: TextInput,
    writer: Writer | None,
) -> Gathered:
    """Keep the input for the run; one that has its input keeps it, whatever has changed since.

    Raises:
        Unavailable: nobody is there to write.
    """
    if writer is None:
        raise Unavailable(UNCONFIGURED)
    await text_drafts.open_draft(
        db,
        {
            "tenant_id": gather.tenant_id,
            "run_id": gather.run_id,
            "company_id": gather.company_id,
            "kind": kind,
            "today": gather.at.date(),
            "adapter": writer.adapter,
            "model": writer.model,
            "prompt_version": prompt_version(kind),
            "given": made.given,
            "input_hash": made.input_hash,
        },
    )
    kept = await text_drafts.draft(db, gather.run_id)
    assert kept is not None
    sources = [part for part in kept.given.values() if isinstance(part, list)]
    return Gathered(input_hash=kept.input_hash, sources=sum(map(len, sources)))
