"""Rules of the house that a machine can hold: sizes, names, and what belongs to whom."""

import ast
import importlib.metadata
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "workers", "workflows", "activities", "models")
MODULE_LINES = 400
TEST_LINES = 450
FUNCTION_LINES = 50


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts)


def test_no_module_outgrows_its_reader() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text().splitlines())) > MODULE_LINES
    }
    assert long == {}


def test_no_module_of_tests_outgrows_its_reader() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "tests").rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > TEST_LINES
    }
    assert long == {}


def test_no_function_outgrows_a_screen() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": node.end_lineno - node.lineno
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno > FUNCTION_LINES
    }
    assert long == {}


def test_no_vendors_sdk_is_loaded_before_it_is_built() -> None:
    container = ast.parse((ROOT / "workers" / "container.py").read_text())
    at_once = [node.module for node in container.body if isinstance(node, ast.ImportFrom)]
    adapters = {f"activities.llm.{name}" for name in ("claude", "openai", "ollama")}
    assert adapters & set(at_once) == set()


def test_no_dependency_installs_a_package_of_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    foreign = {name: set(owners.get(name, ())) - {"throughline"} for name in (*PACKAGES, "tests")}
    assert {name: found for name, found in foreign.items() if found} == {}


def test_nothing_committed_names_a_registry_or_a_folder_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "requirements*.txt", "*.toml", "Dockerfile", "*.yml", "Makefile"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    suspicious = {
        name: word
        for name in listed
        for word in ("/simple", "--index-url", "--find-links", str(ROOT), str(Path.home()) + "/")
        if word in (ROOT / name).read_text()
    }
    assert suspicious == {}
