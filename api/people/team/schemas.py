"""The team on the wire."""

from enum import StrEnum

from pydantic import ConfigDict

from api.http.wire import Absent, Camel, Moment
from models.queries.people.team import MemberRow
from models.rules.vocabulary import PrincipalStatus, PrincipalType


class AgentAdapter(StrEnum):
    """The adapters that an agent can run on."""

    CLAUDE = "claude"
    OPENAI = "openai"
    OLLAMA = "ollama"


class TeamMemberOut(Camel):
    """A person or an agent of the tenant."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01K9SER0000000000000000001",
                    "type": "human",
                    "name": "Mara Lind",
                    "email": "mara@example.com",
                    "role": "admin",
                    "status": "active",
                    "lastActiveAt": "2026-03-02T09:14:12.301Z",
                    "createdOn": "2026-01-04T12:00:00.000Z",
                }
            ]
        }
    )

    id: str
    type: PrincipalType
    name: str
    email: Absent[str] = None
    role: str
    status: PrincipalStatus
    agent_adapter: Absent[AgentAdapter] = None
    running_count: Absent[int] = None
    last_active_at: Absent[Moment] = None
    created_on: Moment

    @classmethod
    def of(cls, row: MemberRow, adapter: AgentAdapter) -> "TeamMemberOut":
        is_agent = row.type == PrincipalType.AGENT
        return cls(
            id=row.id,
            type=PrincipalType(row.type),
            name=row.name,
            email=row.email,
            role=row.role,
            status=PrincipalStatus(row.status),
            agent_adapter=adapter if is_agent else None,
            running_count=row.running if is_agent else None,
            last_active_at=row.last_active_at,
            created_on=row.created_on,
        )
