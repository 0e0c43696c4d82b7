"""The steps of a sync and a backfill that only read or write the record."""

from temporalio import activity

from models.contracts.actors import Actor
from models.contracts.platforms import NoteStart
from models.db.database import Database
from models.queries.people import history
from models.queries.people.history import Occurrence
from models.rules.clients.vocabulary import HistoryKind
from models.rules.vocabulary import PrincipalType


class PullRecordSteps:
    """What is written down about pulls, apart from the numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="pull.note_start")
    async def note_start(self, note: NoteStart) -> None:
        """Write the event of a start that a person asked for, once."""
        if note.days is None:
            started = Occurrence(kind=HistoryKind.SYNC_STARTED)
        else:
            started = Occurrence(kind=HistoryKind.BACKFILL_STARTED, details={"days": note.days})
        async with self._database.tenant(note.tenant_id) as db:
            await history.record(
                db,
                tenant_id=note.tenant_id,
                company_id=note.company_id,
                actor=Actor(id=note.principal_id, type=PrincipalType.HUMAN),
                occurrences=[started],
                at=note.at,
                once=note.once,
            )
