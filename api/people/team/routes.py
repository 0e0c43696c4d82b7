"""The team: everybody who acts in the tenant."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.http.auth import Reader
from api.http.db import ReadDb
from api.http.filters import Several
from api.http.services import Given
from api.http.wire import Listed
from api.people.team.schemas import AgentAdapter, TeamMemberOut
from models.queries.people import team
from models.rules.vocabulary import PrincipalStatus, PrincipalType

router = APIRouter(prefix="/team", tags=["Team"])


@router.get("", summary="List the team")
async def list_team(
    reader: Reader,
    db: ReadDb,
    services: Given,
    types: Annotated[
        Several[PrincipalType] | None, Query(alias="filter.type", description="Any of these.")
    ] = None,
    statuses: Annotated[
        Several[PrincipalStatus] | None,
        Query(alias="filter.status", description="Any of these; without it all but terminated."),
    ] = None,
    roles: Annotated[
        Several[str] | None, Query(alias="filter.role", description="Any of these.")
    ] = None,
) -> Listed[TeamMemberOut]:
    """List all people and agents of the tenant, people first, each by name."""
    rows = await team.members(db, types=types or (), statuses=statuses or (), roles=roles or ())
    adapter = AgentAdapter(services.settings.llm)
    return Listed(data=[TeamMemberOut.of(row, adapter) for row in rows])
