"""Routes that do nothing but use the grammar, mounted beside the real ones."""

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, File, Form, Query, UploadFile
from pydantic import Field
from sqlalchemy import insert, select, text, tuple_
from starlette.responses import Response

from api.agents.activities.stream import activity_stream
from api.http.auth import Admin, Commenter, Principal, Public, Reader, Writer, permission
from api.http.db import ReadDb, WriteDb
from api.http.filters import Several
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.paging import Paging
from api.http.problems import problems
from api.http.routing import body_limit
from api.http.rows import writer
from api.http.sse import Follow, LastEventId
from api.http.tenant_events import event_stream
from api.http.wire import Absent, Camel, Int, Moment, Money, Page, Pagination, UlidPath
from models.errors import Conflict, ProblemItem, Unprocessable
from models.ids import new_id
from models.rules.vocabulary import CampaignStatus
from models.tables.campaigns import Channel

router = APIRouter(prefix="/dashboard/v1/probe", route_class=IdempotentRoute)
platform = APIRouter(prefix="/api/v1/probe")


class Line(Camel):
    quantity: Int = Field(ge=1, le=10)


class OrderIn(Camel):
    name: str = Field(min_length=1, max_length=20)
    unit_price: Money = Field(examples=[1.5])
    lines: list[Line] = Field(default_factory=list)
    api_key: str | None = Field(None, max_length=3)
    due_on: Moment | None = None


class OrderOut(Camel):
    id: str
    unit_price: Money
    due_on: Moment | None
    note: Absent[str] = None


class ChannelOut(Camel):
    id: str
    name: str
    type: str
    created_on: Moment


write_channel = writer(ChannelOut)


def shown(principal: Principal) -> dict[str, Any]:
    return {"id": principal.id, "role": principal.role, "tenant": principal.tenant_id}


@router.get("/me")
async def me(reader: Reader) -> dict[str, Any]:
    return shown(reader)


@router.get("/me-with-db")
async def me_with_db(reader: Reader, db: ReadDb) -> dict[str, Any]:
    return shown(reader)


@router.post("/write")
async def write(writer: Writer) -> dict[str, Any]:
    return shown(writer)


@router.post("/comment")
async def comment(commenter: Commenter) -> dict[str, Any]:
    return shown(commenter)


@router.post("/admin")
async def admin(admin: Admin) -> dict[str, Any]:
    return shown(admin)


@router.get("/public")
async def public(_: Public) -> dict[str, Any]:
    return {}


@router.get("/things/{thing_id}")
async def thing(thing_id: UlidPath, reader: Reader) -> dict[str, str]:
    return {"id": thing_id}


@router.post("/orders", status_code=201, responses=problems(409))
async def order(order: OrderIn, writer: Writer) -> OrderOut:
    return OrderOut(id=new_id(), unit_price=order.unit_price, due_on=order.due_on)


@router.post("/upload")
@body_limit(300_000)
async def upload(
    writer: Writer, title: Annotated[str, Form(max_length=5)], file: Annotated[UploadFile, File()]
) -> dict[str, int]:
    return {"size": len(await file.read())}


@router.get("/filtered")
async def filtered(
    reader: Reader,
    statuses: Annotated[
        Several[CampaignStatus] | None, Query(alias="filter.status", max_length=3)
    ] = None,
) -> dict[str, Any]:
    return {"statuses": statuses}


@router.post("/refused")
async def refused(writer: Writer) -> None:
    raise Unprocessable("No.", ProblemItem(location="body.x", message="Not so", value=1))


@router.post("/busy")
async def busy(writer: Writer) -> None:
    raise Conflict("Later.", retry_after=7)


@router.get("/boom")
async def boom(reader: Reader) -> None:
    raise ZeroDivisionError("the secret inside")


@router.get("/channels", response_model=Page[ChannelOut])
async def channels(
    reader: Reader,
    db: ReadDb,
    paging: Paging,
    kind: Annotated[str | None, Query(alias="filter.type")] = None,
) -> Response:
    return paging.answer(await _channels(db, kind, paging.fetch, paging.after), write_channel)


@router.get("/channels-checked")
async def channels_checked(reader: Reader, db: ReadDb, paging: Paging) -> Page[ChannelOut]:
    """The same list, by FastAPI's own way."""
    found = await _channels(db, None, paging.limit, paging.after)
    return Page(
        data=[ChannelOut.model_validate(row) for row in found],
        pagination=Pagination(limit=paging.limit, next_cursor=None, has_more=False),
    )


async def _channels(db: Any, kind: str | None, limit: int, after: Any) -> Any:
    found = select(Channel.id, Channel.name, Channel.type, Channel.created_on)
    if kind is not None:
        found = found.where(Channel.type == kind)
    if after is not None:
        found = found.where(tuple_(Channel.created_on, Channel.id) < tuple_(*after))
    newest = found.order_by(Channel.created_on.desc(), Channel.id.desc()).limit(limit)
    return (await db.execute(newest)).all()


@router.post("/channels", status_code=201)
async def add_channel(
    order: OrderIn, writer: Writer, db: WriteDb, key: IdempotencyKey
) -> dict[str, str]:
    """Writes a row with each piece of work that is really done."""
    if order.name == "slow":
        await asyncio.sleep(0.4)
    channel_id = key.derived_id("channel") + ("" if key.value is None else new_id()[-4:])
    values = {"id": channel_id, "tenant_id": writer.tenant_id, "name": order.name, "type": "x"}
    await db.execute(insert(Channel).values(values))
    if order.name == "bad":
        raise Unprocessable("After the write.")
    return {"id": channel_id}


@router.post("/doomed", status_code=201)
async def doomed(writer: Writer, db: WriteDb, key: IdempotencyKey) -> dict[str, str]:
    """Does what the database finds out about when it commits."""
    await db.execute(
        text("create temp table twins (id int unique deferrable initially deferred) on commit drop")
    )
    await db.execute(text("insert into twins values (1), (1)"))
    return {"id": "never"}


@router.post("/commands", status_code=202)
async def command(admin: Admin, key: IdempotencyKey, order: OrderIn) -> dict[str, str]:
    """Holds no database; the second half of the id tells runs apart."""
    if order.name == "slow":
        await asyncio.sleep(0.4)
    if order.name == "bad":
        raise Unprocessable("No.")
    return {"id": key.derived_id("command"), "run": new_id()}


@router.post("/uploads")
async def keyed_upload(
    writer: Writer, key: IdempotencyKey, file: Annotated[UploadFile, File()]
) -> dict[str, str]:
    return {"run": new_id()}


@router.get("/events")
async def events(reader: Reader, follow: Follow, last: LastEventId) -> Response:
    return event_stream(follow, reader, last)


@router.get("/activities/{activity_id}/stream")
async def stream(
    activity_id: UlidPath, reader: Reader, follow: Follow, last: LastEventId
) -> Response:
    return await activity_stream(follow, reader, activity_id, last)


@platform.get("/contacts")
async def contacts(
    reader: Annotated[Principal, Depends(permission("contact", "view"))],
) -> dict[str, Any]:
    return shown(reader)


@platform.delete("/contacts")
async def delete_contacts(
    reader: Annotated[Principal, Depends(permission("contact", "delete"))],
) -> dict[str, Any]:
    return shown(reader)


@pytest.fixture
def app_kind() -> str:
    return "probed"


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    if not hasattr(app.state, "probed"):
        app.include_router(router)
        app.include_router(platform)
        app.state.probed = True
    return app
