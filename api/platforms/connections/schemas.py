"""Connections of clients to platforms on the wire; credentials come in and never go out."""

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

from api.http.bodies import SnakePatch
from api.http.wire import Absent, Second, Snake
from models.queries.platforms.connections import ConnectionStatus
from models.rules.platforms.registry import PlatformId

LONGEST_NAME: Final = 200
"""Characters of the name of a connection, whoever gives it."""
_CONNECTION: dict[str, Any] = {
    "id": "01K9C0NNECT000000000000001",
    "company_id": "01K9C0MPANY000000000000001",
    "platform": "meta_ads",
    "status": "active",
    "source": "manual",
    "connected_by_user_id": "01K9VSER000000000000000001",
    "connected_at": "2026-03-10T09:12:45Z",
    "last_synced_at": "2026-03-11T04:17:02Z",
    "last_sync_error": None,
    "store_url": None,
    "account_id": "1029384756",
    "display_name": "Northwind Outfitters",
    "scopes": ["ads_read"],
    "token_expires_at": None,
    "created_at": "2026-03-10T09:12:45Z",
    "updated_at": "2026-03-11T04:17:02Z",
}


class ConnectionOut(Snake):
    """A connection; one that is disconnected stays for its history."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CONNECTION]})

    id: str
    company_id: str
    platform: PlatformId
    status: ConnectionStatus
    source: Literal["manual", "oauth", "import"]
    connected_by_user_id: str | None
    connected_at: Second
    last_synced_at: Second | None = Field(description="When its numbers were last up to date.")
    last_sync_error: str | None = Field(description="Why the last sync failed, if it did.")
    store_url: str | None
    account_id: str | None
    display_name: str | None
    scopes: list[str]
    token_expires_at: Second | None
    created_at: Second
    updated_at: Second


class ConnectionsOut(Snake):
    """A client's connections: those not disconnected first, by platform, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"connections": [_CONNECTION]}]})

    connections: list[ConnectionOut]


class ConnectedOut(Snake):
    """The connection that was made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"connection": _CONNECTION}]})

    connection: ConnectionOut


class ConnectionIn(Snake):
    """An account to connect."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "platform": "meta_ads",
                    "credentials": {
                        "access_token": "EAAB...", "ad_account_id": "act_1029384756",
                    },
                    "display_name": "Northwind, Europe",
                }
            ]
        }
    )  # fmt: skip

    platform: PlatformId
    credentials: dict[str, Any] = Field(
        repr=False, description="By the keys that the registry of platforms names."
    )
    display_name: str | None = Field(
        None,
        max_length=LONGEST_NAME,
        description="Without it the platform's own name for the account.",
    )


class ConnectionNameIn(SnakePatch):
    """Another name for a connection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"display_name": "Shop, Europe"}]})

    display_name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)
    ]


class ConnectionChangedOut(Snake):
    """It is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ok": True}]})

    ok: Literal[True] = True


class ConnectionTestOut(Snake):
    """Whether the platform answers, and who the account is or what is wrong."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "account_id": "1029384756",
                    "display_name": "Northwind Outfitters",
                },
                {"success": False, "error": "Meta: The session has been invalidated."},
            ]
        }
    )

    success: bool
    error: Absent[str] = None
    account_id: Absent[str] = None
    display_name: Absent[str] = None


class BackfillIn(Snake):
    """How many days before today to load."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"days": 90}]})

    days: Literal[30, 60, 90]


class StartedOut(Snake):
    """What goes on in the background now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"message": "Sync started"}]})

    message: str
