"""The steps of a sync and a backfill that only read or write the record."""

from temporalio import activity

from models.contracts.actors import Actor
from models.contracts.platforms import (
    ConnectionRef,
    EndPull,
    NoteGap,
    NoteStart,
    SurveyConnections,
    SurveyedConnections,
)
from models.db.database import Database
from models.queries.people import history
from models.queries.people.history import Occurrence
from models.queries.platforms import (
    connection_days,
    connections,
    connections_write,
    synced_clients,
)
from models.rules.clients.vocabulary import HistoryKind
from models.rules.vocabulary import PrincipalType


class PullRecordSteps:
    """What is read and written down about pulls, apart from the numbers."""

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

    @activity.defn(name="pull.survey")
    async def survey(self, survey: SurveyConnections) -> SurveyedConnections:
        """Find what there is to pull from."""
        async with self._database.tenant(survey.tenant_id) as db:
            name = await synced_clients.name(db, survey.company_id)
            found = await connections.active(db, survey.company_id)
        return SurveyedConnections(
            client_name=name,
            connections=tuple(
                ConnectionRef(
                    tenant_id=one.tenant_id,
                    company_id=one.company_id,
                    connection_id=one.id,
                    platform=one.platform,
                )
                for one in found
                if one.is_ad_platform or not survey.only_ads
            ),
        )

    @activity.defn(name="pull.note_gap")
    async def note_gap(self, gap: NoteGap) -> None:
        """Tell in the ledger why the days of a window are missing, or not final."""
        window = gap.window
        async with self._database.tenant(gap.of.tenant_id) as db:
            await connection_days.note_error(
                db, gap.of.connection_id, window.level, window.first, window.last, gap.error
            )

    @activity.defn(name="pull.end")
    async def end(self, end: EndPull) -> None:
        """Write down at the connection, if it is still active, how its pull went."""
        async with self._database.tenant(end.of.tenant_id) as db:
            await connections_write.note_sync(db, end.of.connection_id, at=end.at, error=end.error)
