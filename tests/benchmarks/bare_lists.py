"""The bare route: Starlette, psycopg's pool and orjson, running the SQL that it was given.

`python -m tests.benchmarks.bare_lists PORT DSN FILE`: the file names tenant and statements.
"""

import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg
import uvicorn
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def build(
    dsn: str, tenant_id: str, statements: list[list[tuple[str, dict[str, Any]]]]
) -> Starlette:
    """The application: GET /0, /1 … run their statements, inside the tenant."""
    pool = AsyncConnectionPool(
        dsn, min_size=12, max_size=12, open=False,
        kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 2},
    )  # fmt: skip
    opening = "begin; select set_config('app.tenant_id', %s, true)"

    async def answer(request: Request) -> Response:
        rows: list[Any] = []
        async with pool.connection() as db:
            await psycopg.AsyncClientCursor(db).execute(opening, (tenant_id,))
            for sql, parameters in statements[int(request.path_params["number"])]:
                rows += await (await db.execute(sql, parameters)).fetchall()
            await db.commit()
        return Response(orjson.dumps({"data": rows}, default=str), media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Starlette):
        async with pool:
            yield

    return Starlette(routes=[Route("/{number:int}", answer)], lifespan=lifespan)


def main() -> None:
    port, dsn, file = sys.argv[1:]
    given = orjson.loads(Path(file).read_bytes())
    app = build(dsn, given["tenant_id"], given["statements"])
    uvicorn.run(
        app, port=int(port), loop="uvloop", http="httptools", log_config=None, access_log=False
    )


if __name__ == "__main__":
    main()
