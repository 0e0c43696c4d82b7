"""Commands that are recorded instead of sent; a test says what each is answered with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from models.contracts.approvals import ResolvedApproval
from models.contracts.client_texts import TextStored
from models.contracts.revenue import Recalculated
from models.ids import new_id

Answer = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command as the route gave it; `start` is None where the workflow must be running."""

    name: str
    workflow_id: str
    argument: Any
    start: Any = None
    update_id: str | None = None


@dataclass
class RecordedDesk:
    """Stands in for `Desk`. `answers` by the update's name; an exception is raised."""

    sent: list[Command] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def only(self) -> Command:
        (command,) = self.sent
        return command

    async def update_with_start(
        self, run: Any, start: Any, update: Any, argument: Any, *, id: str, **options: Any
    ) -> Any:
        return await self._take(
            Command(_name(update), id, argument, start, options.get("update_id"))
        )

    async def tell_with_start(
        self, run: Any, start: Any, update: Any, argument: Any, *, id: str, **options: Any
    ) -> None:
        await self.update_with_start(run, start, update, argument, id=id, **options)

    async def update(
        self, workflow_id: str, update: Any, argument: Any, update_id: str | None = None
    ) -> Any:
        return await self._take(Command(_name(update), workflow_id, argument, None, update_id))

    async def run(self, run: Any, argument: Any, *, id: str, **options: Any) -> Any:
        return await self._take(Command("run", id, argument, argument))

    async def result_of(self, run: Any, argument: Any, *, id: str, **options: Any) -> Any:
        return await self._take(Command("result_of", id, argument, argument))

    async def start_alone(self, run: Any, argument: Any, *, id: str, **options: Any) -> None:
        await self._take(Command("start_alone", id, argument, argument))

    async def _take(self, command: Command) -> Any:
        self.sent.append(command)
        answer = self.answers.get(command.name, _usual(command))
        if isinstance(answer, BaseException):
            raise answer
        return await answer(command) if callable(answer) else answer


def _name(update: Any) -> str:
    return str(update._defn.name)


def _usual(command: Command) -> Any:
    if command.name == "retry":
        return new_id()
    if command.name == "result_of":
        return TextStored(id=new_id())
    if command.name == "recalculate":
        return Recalculated()
    if command.name == "resolve":
        return ResolvedApproval(
            approval_id=command.workflow_id.removeprefix("approval:"),
            resolution=command.argument.resolution,
            re_enqueued=1,
        )
    return None
