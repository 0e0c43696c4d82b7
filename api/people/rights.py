"""What callers of the clients area may do; manage includes update, update includes view."""

from typing import Annotated, Final

from fastapi import Depends

from api.http.auth import Principal, permission

ClientViewer = Annotated[Principal, Depends(permission("clients", "view"))]
"""Reads clients, and asks about their results."""
ClientEditor = Annotated[Principal, Depends(permission("clients", "update"))]
"""Changes clients and what is kept beside them."""
ClientManager = Annotated[Principal, Depends(permission("clients", "manage"))]
"""Recalculates revenue and deletes wins."""

CLIENTS: Final = "/api/clients"
"""Where the area's addresses begin."""
