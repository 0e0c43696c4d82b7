"""What a tenant's own prompt template may do: show facts, choose, and go through lists.

Templates are code, and these come from tenants. Beside Jinja's sandbox only harmless parts of the
language are taken: nothing can compute, grow text, call, or loop over more than lists of facts,
so that no template can hold up a worker or fill its memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, nodes
from jinja2.exceptions import TemplateError, TemplateRuntimeError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from activities.prompts.untrusted import fence
from models.errors import Unprocessable

FOLDER = Path(__file__).parent
SHARED = "_shared.j2"
LONGEST = 1_000_000
"""Characters that a prompt may come to; a brief, its inputs and attachments are far below."""

_TEMPLATES_KEPT = 256
_BLANK_LINE = 2
_NESTED_LOOPS = 3
_LONGEST_SEPARATOR = 20
_NODES = (
    nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.CondExpr, nodes.If, nodes.For, nodes.List, nodes.Tuple, nodes.Call, nodes.Keyword,
    nodes.Import, nodes.FromImport,
)  # fmt: skip
_FILTERS = frozenset(
    {"capitalize", "default", "fence", "first", "join", "last", "length", "lower", "title", "trim",
     "truncate", "upper"}
)  # fmt: skip


def join(values: Sequence[object], separator: str = ", ") -> str:
    """Jinja's `join`, for lists and short separators alone."""
    if len(separator) > _LONGEST_SEPARATOR:
        raise TemplateRuntimeError("the separator of join is too long")
    return separator.join(str(value) for value in each(values))


def each(values: object) -> Sequence[object]:
    """What every loop of a tenant's template goes through: a list, never the letters of a text."""
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise TemplateRuntimeError("only lists can be gone through")
    return values


def environment() -> Environment:
    """Make the environment in which every prompt is rendered, shipped or a tenant's own."""
    made = SandboxedEnvironment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(fence=fence, join=join, each=each)
    made.globals.clear()
    return made


@lru_cache(maxsize=_TEMPLATES_KEPT)
def compile_text(env: Environment, text: str) -> Template:
    """Compile a tenant's template, refusing what it may not do."""
    try:
        tree = env.parse(text)
        _check(tree)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "each", [], [], None, None, lineno=loop.lineno)
        return Template.from_code(env, env.compile(tree), dict(env.globals))
    except TemplateSyntaxError as error:
        raise Unprocessable(f"The prompt template, line {error.lineno}: {error.message}") from error
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise Unprocessable("The prompt template is nested too deeply.") from error


def run(template: Template, facts: Mapping[str, Any]) -> str:
    """Render a template; what goes wrong names the line."""
    try:
        return _gather(template.generate(**facts))
    # Rendering has no effects: whatever it raises is the template's doing.
    except Exception as error:
        line = _line(error)
        where = f", line {line}" if line else ""
        raise Unprocessable(f"The prompt template{where}: {_said(error)}") from error


def _said(error: Exception) -> str:
    if isinstance(error, TemplateError):
        return error.message or type(error).__name__
    return "a value does not suit what is done with it"


def _gather(pieces: Iterable[str]) -> str:
    """Put the pieces together; a fact that is not given leaves no more than one blank line."""
    gathered, length, newlines = [], 0, _BLANK_LINE
    for piece in pieces:
        own = len(piece) - len(piece.lstrip("\n"))
        piece = piece[max(own + newlines - _BLANK_LINE, 0) :] if own else piece
        if piece.strip("\n"):
            newlines = len(piece) - len(piece.rstrip("\n"))
        else:
            newlines += len(piece)
        gathered.append(piece)
        length += len(piece)
        if length > LONGEST:
            raise TemplateRuntimeError(f"the prompt is longer than {LONGEST} characters")
    return "".join(gathered).strip() + "\n"


def _line(error: BaseException) -> int | None:
    """Find the line of a tenant's template in which it went wrong; Jinja rewrites the frames."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _check(tree: nodes.Template) -> None:
    imported = _imported(tree)
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _NODES):
            raise _refusal(node, f"{_named(node)} cannot be used in a prompt template")
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise _refusal(
                node, f"the filter {node.name} is not one of {', '.join(sorted(_FILTERS))}"
            )
        if isinstance(node, nodes.Call) and _root(node.node) not in imported:
            raise _refusal(node, f"only what {SHARED} offers can be called")
        if isinstance(node, nodes.List | nodes.Tuple) and not _is_constant(node):
            raise _refusal(node, "a list can only have constants in it")
    _check_loops(tree, 0)


def _imported(tree: nodes.Template) -> set[str]:
    whole = list(tree.find_all(nodes.Import))
    parts = list(tree.find_all(nodes.FromImport))
    imports: Sequence[nodes.Import | nodes.FromImport] = [*whole, *parts]
    for node in imports:
        if not isinstance(node.template, nodes.Const) or node.template.value != SHARED:
            raise _refusal(node, f"nothing but {SHARED} can be imported")
    names = [name for node in parts for name in node.names]
    return {node.target for node in whole} | {
        name if isinstance(name, str) else name[1] for name in names
    }


def _check_loops(node: nodes.Node, depth: int) -> None:
    if isinstance(node, nodes.For):
        depth += 1
        if depth > _NESTED_LOOPS or node.recursive:
            raise _refusal(node, f"loops cannot be nested deeper than {_NESTED_LOOPS}")
    for child in node.iter_child_nodes():
        _check_loops(child, depth)


def _root(node: nodes.Node) -> str | None:
    while isinstance(node, nodes.Getattr):
        node = node.node
    return node.name if isinstance(node, nodes.Name) else None


def _is_constant(node: nodes.List | nodes.Tuple) -> bool:
    # The two names of `for a, b in …` are a tuple as well: they are stored, not read.
    return all(
        isinstance(item, nodes.Const) or (isinstance(item, nodes.Name) and item.ctx == "store")
        for item in node.items
    )


def _named(node: nodes.Node) -> str:
    words = {"Add": "+", "Concat": "~", "Mul": "*", "Assign": "{% set %}", "Macro": "{% macro %}"}
    kind = type(node).__name__
    return words.get(kind, kind.lower())


def _refusal(node: nodes.Node, message: str) -> TemplateSyntaxError:
    return TemplateSyntaxError(message, node.lineno)
