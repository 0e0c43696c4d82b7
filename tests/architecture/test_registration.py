"""Whatever is declared for Temporal is registered, once, under a name of its own."""

import importlib
import inspect
import pkgutil
from collections import Counter
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import activities
import workflows
from activities.llm.offline import OfflineLlm
from models.settings import Settings
from workers.container import Container
from workers.registry import Queue, queues


def modules(package: ModuleType) -> list[ModuleType]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(info.name) for info in found if not info.ispkg]


def registered() -> list[Queue]:
    offline = OfflineLlm(0)
    container = Container(
        settings=Settings(),
        db=MagicMock(),
        temporal=MagicMock(),
        llms={"claude": offline, "offline": offline},
        stripe=MagicMock(),
    )
    return queues(container)


def declared_steps() -> set[str]:
    names = set()
    for module in modules(activities):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            for _, method in inspect.getmembers(kind, inspect.isfunction):
                definition: Any = getattr(method, "__temporal_activity_definition", None)
                if definition is not None:
                    names.add(definition.name)
    return names


def declared_workflows() -> set[type]:
    return {
        kind
        for module in modules(workflows)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if "__temporal_workflow_definition" in vars(kind)
    }


def test_each_step_is_registered_once() -> None:
    names = Counter(
        step.__temporal_activity_definition.name  # type: ignore[attr-defined]
        for queue in registered()
        for step in queue.activities()
    )
    assert names == Counter(declared_steps())


def test_each_workflow_is_registered_once() -> None:
    kinds = Counter(kind for queue in registered() for kind in queue.workflows)
    assert kinds == Counter(declared_workflows())


def test_each_step_is_named_after_its_noun_and_verb() -> None:
    assert [name for name in declared_steps() if name.count(".") != 1] == []
