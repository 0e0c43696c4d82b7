"""The request's transaction: `ReadDb` and `WriteDb`, inside the caller's tenant.

It commits after the handler and before the response, so that a failing commit becomes an error
answer and never follows a 201.
"""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from api.http.routing import HOLDS_DATABASE, SESSION, marks
from models.db.database import Session


@marks(HOLDS_DATABASE)
async def _transaction(request: Request) -> AsyncConnection:
    session: Session = request.scope[SESSION]
    return session.db


ReadDb = Annotated[AsyncConnection, Depends(_transaction)]
"""The transaction of a GET."""
WriteDb = Annotated[AsyncConnection, Depends(_transaction)]
"""The transaction of a change: everything in it happens, or nothing does."""
