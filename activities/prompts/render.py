"""The words that an agent is given: its system prompt, its task, and what it hears later.

Prompts are rendered from facts, which are plain JSON values:

- `role`, `activity_type`, `title`, `today`: always there
- `campaign_name`, `brief`, `prompt` (the task), `template` (the activity template's text)
- `deliverables` [{id, type, quantity}], `inputs` [{id, title, text}], `attachments` [{name, text}]
- `feedback` [str], `decision` (what was decided on its question), `review_of` (what it reviews)
- `tools` [name]

A follow-up has `kind` (the wake reason) and may have `question`, `selected_option` and `note` (of
an approval), `subtasks` [{id, title, status, text}], `comments` [str] and `brief`, which is
repeated because people may change it meanwhile, unless `brief_changed` is known to be false.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, meta

from activities.prompts import sandbox
from models.errors import Unprocessable
from models.rules.roles import ROLES

_OPTIONAL: Mapping[str, Any] = {
    "campaign_name": "", "brief": "", "prompt": "", "template": None, "deliverables": (),
    "inputs": (), "attachments": (), "feedback": (), "decision": None, "review_of": None,
    "tools": (),
}  # fmt: skip
_OF_FOLLOW_UPS: Mapping[str, Any] = {
    "question": None, "selected_option": None, "note": None, "subtasks": (), "comments": (),
    "brief": "", "brief_changed": True,
}  # fmt: skip
_ALWAYS: Mapping[str, Any] = {
    "role": "copywriter", "activity_type": "blog_post", "title": "A title", "today": "2026-01-01",
}  # fmt: skip
_SAMPLE: Mapping[str, Any] = {
    **_ALWAYS,
    "campaign_name": "A campaign",
    "brief": "A brief.",
    "prompt": "A task.",
    "template": "A template.",
    "deliverables": ({"id": "D", "type": "blog_post", "quantity": 1},),
    "inputs": ({"id": "A", "title": "An input", "text": "Its text."},),
    "attachments": ({"name": "a.txt", "text": "Its text."},),
    "feedback": ("A remark.",),
    "decision": "A decision.",
    "review_of": "An input",
    "tools": tuple(sorted({name for role in ROLES.values() for name in role.tool_names})),
}


def system_prompt(facts: Mapping[str, Any], template: str | None = None) -> str:
    """Render the role's system prompt, from the tenant's own template where there is one.

    Raises:
        Unprocessable: the template does what it may not, or asks for a fact there is not.
    """
    whole = {**_OPTIONAL, **facts}
    if template is not None:
        return render(template, whole)
    _check_role(str(facts["role"]))
    return _render_shipped(f"{facts['role']}.j2", whole)


def first_message(facts: Mapping[str, Any]) -> str:
    """Render the message that begins a transcript: the brief, the task, and all it builds on."""
    return _render_shipped("first_message.j2", {**_OPTIONAL, **facts})


def followup_message(facts: Mapping[str, Any]) -> str:
    """Render what an agent hears when a later run goes on with the same transcript."""
    return _render_shipped("followup_message.j2", {**_OF_FOLLOW_UPS, **facts})


def intervention_message(notes: Sequence[str]) -> str:
    """Render the notes that people left for an agent while it works."""
    return _render_shipped("intervention_message.j2", {"notes": notes})


def render(template: str, facts: Mapping[str, Any]) -> str:
    """Render a tenant's template within the limits of `sandbox`."""
    return sandbox.run(sandbox.compile_text(_environment(), template), facts)


def default_template(role: str) -> str:
    """The text of a role's shipped template, which a tenant may copy and change."""
    _check_role(role)
    return (sandbox.FOLDER / f"{role}.j2").read_text(encoding="utf-8")


def validate_template(text: str) -> None:
    """Refuse a template that would fail in a run: with every fact given, or with few.

    Raises:
        Unprocessable: says what is wrong, and in which line where there is one.
    """
    env = _environment()
    template = sandbox.compile_text(env, text)
    if unknown := meta.find_undeclared_variables(env.parse(text)) - set(_SAMPLE):
        raise Unprocessable(
            f"The prompt template asks for {', '.join(sorted(unknown))}; "
            f"known are {', '.join(sorted(_SAMPLE))}."
        )
    for facts in (_SAMPLE, {**_OPTIONAL, **_ALWAYS}):
        sandbox.run(template, facts)


@cache
def _environment() -> Environment:
    return sandbox.environment()


def _render_shipped(name: str, facts: Mapping[str, Any]) -> str:
    return sandbox.run(_environment().get_template(name), facts)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Unprocessable(f"There is no prompt for the role {role}.")
