"""The commands, by what an operator wants: run it, show it, decide, sign in, look under the lid."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from rich.console import Console

from models.queries.tenants import Human
from models.rules.vocabulary import Role
from models.settings import settings
from workers.api_client import Api, ApiRefused, Approval
from workers.data_folder import DataDir, base_settings, settings_of
from workers.demo import DemoOptions, demo_api
from workers.stack import owner_url, running_stack
from workers.stripe_commands import app as stripe_app
from workers.tenants import DEMO, found_tenant

app = typer.Typer(
    name="throughline",
    help="A durable engine for marketing operations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(stripe_app, name="stripe")
console = Console()

Brief = Annotated[
    Path | None, typer.Option("--brief", help="Markdown, or the body of POST /campaigns as JSON.")
]


@app.command()
def up(
    brief: Brief = None,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Worker processes.")] = 1,
    demo: Annotated[bool, typer.Option(help="Submit and show a campaign.")] = True,
) -> None:
    """Start everything, show a campaign at work, and serve until Ctrl-C."""
    from workers.session import Session, run

    session = Session(
        settings=base_settings(data_dir),
        options=DemoOptions(brief=brief),
        console=console,
        workers=workers,
    )
    raise typer.Exit(run(session, once=False, demo=demo))


@app.command()
def demo(
    brief: Brief = None,
    data_dir: DataDir = None,
    approve_all: Annotated[bool, typer.Option(help="Approve whatever is asked.")] = False,
    once: Annotated[bool, typer.Option(help="End with the campaign's work.")] = False,
) -> None:
    """Show a campaign from its brief to finished work; with --once the exit status tells how."""
    from workers.session import Session, run

    options = DemoOptions(brief=brief, approve_all=approve_all, again=once)
    session = Session(settings=base_settings(data_dir), options=options, console=console)
    raise typer.Exit(run(session, once=once))


@app.command()
def approve(
    approval_id: Annotated[str | None, typer.Argument(help="The approval's id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are pending.")] = False,
    reject: Annotated[bool, typer.Option(help="Reject; needs --note.")] = False,
    revise: Annotated[bool, typer.Option(help="Ask for a revision; needs --note.")] = False,
    note: Annotated[str | None, typer.Option(help="What the agent should know.")] = None,
    option: Annotated[str | None, typer.Option(help="Which of the options.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Decide an approval of the running stack, as the demo tenant's admin."""
    if (approval_id is None) != everything:
        raise typer.BadParameter("give either an approval's id or --all")
    if reject and revise:
        raise typer.BadParameter("either --reject or --revise")
    if (reject or revise) and not (note or "").strip():
        raise typer.BadParameter("--reject and --revise need a --note")
    resolution = "rejected" if reject else "revision_requested" if revise else "approved"
    here = base_settings(data_dir)
    record = running_stack(here.data_dir)
    if record is None:
        _fail("no stack runs in this data folder; start it with `python -m workers up`")
    api = demo_api(here, record)
    raise typer.Exit(asyncio.run(_decide(api, approval_id, resolution, option, note)))


@app.command()
def token(
    role: Annotated[Role, typer.Option(help="Whose token.")] = Role.ADMIN,
    tenant: Annotated[str, typer.Option(help="The tenant's id.")] = DEMO.id,
    user: Annotated[str | None, typer.Option(help="The user's id.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=8760)] = 12,
    data_dir: DataDir = None,
) -> None:
    """Print a token of the embedded issuer; the demo tenant's people if no other is named."""
    from workers.tokens import issue

    subject = user or (DEMO.humans[role].id if tenant == DEMO.id else None)
    if subject is None:
        raise typer.BadParameter("a tenant other than the demo's needs --user")
    lifetime = timedelta(hours=hours)
    typer.echo(
        issue(base_settings(data_dir), subject=subject, tenant=tenant, role=role, lifetime=lifetime)
    )


@app.command()
def tenant(
    name: Annotated[str, typer.Argument(help="The tenant's name.")],
    admin_id: Annotated[str, typer.Option(help="The first admin's id: the `sub` of their tokens.")],
    admin_name: Annotated[str, typer.Option(help="The first admin's name.")],
    admin_email: Annotated[str, typer.Option(help="The first admin's e-mail address.")],
    tenant_id: Annotated[
        str | None, typer.Option(help="An id of your own, or the same one.")
    ] = None,
    monthly_cap: Annotated[
        float | None, typer.Option(min=0, help="US dollars that it may spend in a month.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a tenant with its agents and its first admin, and print its id."""
    admin = Human(id=admin_id, name=admin_name, email=admin_email, role=Role.ADMIN)
    cap = None if monthly_cap is None else Decimal(str(monthly_cap))
    founded = found_tenant(settings_of(data_dir), name, admin, tenant_id=tenant_id, monthly_cap=cap)
    typer.echo(asyncio.run(founded))


@app.command()
def rotate_keys(data_dir: DataDir = None) -> None:
    """Wrap the keys of all sealed credentials with the newest master key; 1 if some are left.

    It may be stopped and run again, and runs beside everything else.
    """
    from workers.key_rotation import rotated

    result = asyncio.run(rotated(settings_of(data_dir)))
    typer.echo(str(result))
    raise typer.Exit(0 if result.is_complete else 1)


@app.command()
def api(data_dir: DataDir = None) -> None:
    """Serve the API alone."""
    import uvicorn

    here = settings_of(data_dir)
    uvicorn.run(
        "workers.serving:build",
        factory=True,
        host=here.api_host,
        port=here.api_port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
    )


@app.command()
def worker(data_dir: DataDir = None) -> None:
    """Run one worker process; SIGTERM drains it."""
    import uvloop

    from workers.worker import run_worker

    uvloop.run(run_worker(settings_of(data_dir)))


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the newest schema, as its owner."""
    from workers.migrate import prepare

    here = settings_of(data_dir)
    record = running_stack(here.data_dir) if here.mode == "embedded" else None
    owner = here.owner_database_url if record is None else owner_url(here.data_dir, record)
    prepare(owner, here.database_url)


@app.command()
def prove(
    campaigns: Annotated[int, typer.Option(min=1, max=1000, help="How many to run.")] = 50,
    kills: Annotated[int, typer.Option(min=0, max=1000, help="How many workers to kill.")] = 20,
    seed: Annotated[int | None, typer.Option(help="Kill as an earlier run did.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Kill workers at random while campaigns run, and show that nothing is lost or paid twice."""
    from workers.prove import Proof, ProofOptions
    from workers.session import until_stopped

    options = ProofOptions(campaigns=campaigns, kills=kills, seed=seed, data_dir=data_dir)
    proof = Proof(settings(), options, console)

    async def run() -> int:
        return await until_stopped(asyncio.create_task(proof.run()))

    raise typer.Exit(asyncio.run(run()))


@app.command()
def replay(
    files: Annotated[list[Path] | None, typer.Argument(help="Exported histories.")] = None,
    running: Annotated[bool, typer.Option("--open", help="All workflows that run now.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Run histories through this version's workflows; 1 when one would not go on with it."""
    from workers import replay as replays

    if bool(files) == running:
        raise typer.BadParameter("give either files or --open")
    here = settings_of(data_dir)
    histories = replays.saved(files) if files else replays.running(here)
    raise typer.Exit(asyncio.run(replays.replay(here, histories, console)))


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from api.app import described

    typer.echo(orjson.dumps(described().openapi(), option=orjson.OPT_INDENT_2).decode())


async def _decide(
    client: Api, approval_id: str | None, resolution: str, option: str | None, note: str | None
) -> int:
    try:
        if approval_id is None:
            chosen = await client.pending_approvals()
        else:
            chosen = [await client.approval(approval_id)]
        if not chosen:
            _print("Nothing waits for an approval.")
        for approval in chosen:
            woken = await client.resolve(
                approval.id, resolution, option=_option(approval, option, resolution), note=note
            )
            _print(f"{resolution}: {approval.title} (activities that go on: {woken})")
    except ApiRefused as error:
        _print(f"Refused: {error}")
        return 1
    finally:
        await client.close()
    return 0


def _option(approval: Approval, option: str | None, resolution: str) -> str | None:
    """The option to name; an approval with a single one needs no choice."""
    options = approval.options or []
    if option is None and resolution == "approved" and len(options) == 1:
        return options[0]
    return option


def _print(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(1)
