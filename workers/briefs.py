"""Briefs from files: Markdown as people write it, or the body of POST /campaigns as JSON."""

import json
import re
from pathlib import Path
from typing import Any, Final

from models.rules.vocabulary import DeliverableType

DEMO_BRIEF: Final = Path(__file__).with_name("demo_brief.md")
DEFAULT_DELIVERABLES: Final = {"blog_post": 1, "social_post": 2, "email_newsletter": 1}
MAX_BRIEF: Final = 20_000
_MAX_NAME: Final = 200
_KINDS: Final = tuple(kind.value for kind in DeliverableType)
_TEXT_KEYS: Final = ("name", "startDate", "endDate")
_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*?)\s*#*\s*$", re.MULTILINE)
_ITEM = re.compile(r"^-\s*([a-z_]+)\s*(?:[:x×]\s*)?(\d+)?\s*$")


class BriefUnusable(ValueError):
    """The file is no brief; the message says what is missing."""


def read_brief(path: Path) -> dict[str, Any]:
    """The body of POST /dashboard/v1/campaigns that the file stands for."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BriefUnusable(f"{path} cannot be read: {error}") from error
    return parse_json(text) if path.suffix.lower() == ".json" else parse_markdown(text, path.stem)


def parse_json(text: str) -> dict[str, Any]:
    """Take the body as it is; whether its fields hold is for the API to say."""
    try:
        body = json.loads(text)
    except ValueError as error:
        raise BriefUnusable(f"the brief is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise BriefUnusable("the brief is JSON, but not an object")
    return body


def parse_markdown(text: str, fallback_name: str = "Campaign") -> dict[str, Any]:
    """The first heading names the campaign, the whole text is the brief.

    An optional block between two `---` lines says more: `name`, `budgetCapUsd`, `startDate`,
    `endDate`, and `deliverables` as a list of `- blog_post: 2`.
    """
    front, brief = _split(text.strip())
    if not brief:
        raise BriefUnusable("the brief is empty")
    if len(brief) > MAX_BRIEF:
        raise BriefUnusable(f"the brief has {len(brief)} characters, {MAX_BRIEF} are allowed")
    heading = _HEADING.search(brief)
    body: dict[str, Any] = {
        "name": (heading.group(1) if heading else fallback_name)[:_MAX_NAME],
        "brief": brief,
    }
    body |= _front_matter(front)
    wanted = body.pop("deliverables", None) or DEFAULT_DELIVERABLES
    body["deliverables"] = [
        {"type": kind, "quantity": quantity} for kind, quantity in wanted.items()
    ]
    return body


def _split(text: str) -> tuple[list[str], str]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return [], text
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == "---":
            return lines[1:number], "\n".join(lines[number + 1 :]).strip()
    return [], text


def _front_matter(lines: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("-"):
            kind, quantity = _deliverable(stripped)
            found.setdefault("deliverables", {})[kind] = quantity
            continue
        key, colon, value = (part.strip() for part in stripped.partition(":"))
        if key in _TEXT_KEYS and value:
            found[key] = value.strip("\"'")
        elif key == "budgetCapUsd":
            found[key] = _number(value)
        elif not colon or key != "deliverables":
            raise BriefUnusable(f"the brief's front matter has a line {stripped!r}")
    return found


def _deliverable(item: str) -> tuple[str, int]:
    match = _ITEM.match(item)
    if match is None or match.group(1) not in _KINDS:
        known = ", ".join(_KINDS)
        raise BriefUnusable(f"{item!r} is no deliverable: write '- blog_post: 2' with {known}")
    return match.group(1), int(match.group(2) or 1)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise BriefUnusable(f"budgetCapUsd is {value!r}, not a number") from None
