"""Reading a plan that a model wrote: everything that is wrong with it, in words to act on.

Liberal in what it takes: what has a sensible default may be missing or null. Each thing that
cannot be taken is named by its place, so that the model can mend the plan in one go.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.rules.plans import (
    FREE_TYPES,
    KEY_PATTERN,
    MAX_FREE,
    MAX_ITEMS,
    MAX_KEY,
    MAX_ORDERED,
    MAX_PROMPT,
    MAX_TITLE,
    MAX_WAITS,
    PLANNED_TYPES,
    InvalidPlan,
    OrderedDeliverable,
    Plan,
    PlanItem,
    waits,
)
from models.rules.roles import PLANNER
from models.rules.text import is_storable
from models.rules.vocabulary import ActivityType, RiskLevel

_FIELDS = (
    "key", "title", "type", "role", "deliverableId", "quantity", "dependsOn", "prompt", "risk",
)  # fmt: skip
_KEY = re.compile(KEY_PATTERN)
_SHOWN = 60
_NAMED = 8


def parse_plan(
    raw: object, deliverables: Sequence[OrderedDeliverable], roles: Collection[str]
) -> Plan:
    """Read the input of `submit_plan` against what the campaign orders and the roles there are.

    Raises:
        InvalidPlan: with all errors at once.
    """
    entries = _entries(raw)
    errors: list[str] = []
    if len(entries) > MAX_ITEMS:
        errors.append(f"There are {len(entries)} activities; at most {MAX_ITEMS} are allowed.")
    workers = [role for role in roles if role != PLANNER]
    ordered = {one.id: one for one in deliverables}
    read = [
        _EntryReader(entry, index, errors).read(ordered, workers)
        for index, entry in enumerate(entries[:MAX_ITEMS])
    ]
    _check_keys([one.item for one in read], errors)
    _check_totals(read, deliverables, errors)
    if not errors:
        _check_waits([one.item for one in read], errors)
    if errors:
        raise InvalidPlan(errors)
    return Plan(items=tuple(one.item for one in read))


def _entries(raw: object) -> Sequence[object]:
    entries = raw.get("activities") if isinstance(raw, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise InvalidPlan(['The input must be {"activities": [...]} with at least one activity.'])
    return entries


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """An item, with stand-ins for what could not be read; `counted`: its quantity could."""

    item: PlanItem
    counted: bool


class _EntryReader:
    """Reads one entry of the list; what is wrong is noted, and reading goes on."""

    def __init__(self, entry: object, index: int, errors: list[str]) -> None:
        self._entry: Mapping[Any, Any] = entry if isinstance(entry, Mapping) else {}
        self._is_object = isinstance(entry, Mapping)
        self._errors = errors
        key = self._entry.get("key")
        named = isinstance(key, str) and _KEY.fullmatch(key)
        self._place = f"activities[{index}] ({key})" if named else f"activities[{index}]"

    def read(self, ordered: Mapping[str, OrderedDeliverable], roles: Sequence[str]) -> _Read:
        if not self._is_object:
            self._wrong(f"must be an object with the fields {_listed(_FIELDS)}.")
            return _Read(item=_STAND_IN, counted=False)
        if unknown := [name for name in self._entry if name not in _FIELDS]:
            self._wrong(
                f"has unknown fields: {_listed(unknown)}. The fields are {_listed(_FIELDS)}."
            )
        kind = self._one_of("type", [kind.value for kind in PLANNED_TYPES], None)
        deliverable, known = self._deliverable(ordered, kind)
        quantity = self._quantity(MAX_FREE if known and deliverable is None else MAX_ORDERED)
        item = PlanItem(
            key=self._key(),
            title=" ".join(self._words("title", MAX_TITLE).split()),
            type=ActivityType(kind) if kind else _STAND_IN.type,
            role=self._one_of("role", roles, None) or "",
            prompt=self._words("prompt", MAX_PROMPT),
            deliverable_id=deliverable,
            depends_on=self._depends_on(),
            risk=RiskLevel(self._one_of("risk", list(RiskLevel), RiskLevel.LOW) or RiskLevel.LOW),
        )
        return _Read(item=replace(item, quantity=quantity or 1), counted=quantity is not None)

    def _wrong(self, what: str) -> None:
        self._errors.append(f"{self._place} {what}")

    def _key(self) -> str:
        key = self._entry.get("key")
        if isinstance(key, str) and _KEY.fullmatch(key):
            return key
        self._wrong(
            f"needs a key of 1 to {MAX_KEY} letters, digits, '_', '-' or '.', "
            f"beginning with a letter or digit; found {_shown(key)}."
        )
        return ""

    def _words(self, name: str, longest: int) -> str:
        value = self._entry.get(name)
        words = value.strip() if isinstance(value, str) else ""
        if not words:
            self._wrong(f"needs a {name}: text of 1 to {longest} characters.")
        elif len(words) > longest:
            self._wrong(f"has a {name} of {len(words)} characters; at most {longest} are allowed.")
        elif not is_storable(words):
            self._wrong(f"has characters in its {name} that are no text (null bytes, say).")
        else:
            return words
        return ""

    def _one_of(self, name: str, allowed: Sequence[str], default: str | None) -> str | None:
        value = self._entry.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, str) and value in allowed:
            return value
        self._wrong(f"has the {name} {_shown(value)}; it must be one of {', '.join(allowed)}.")
        return None

    def _deliverable(
        self, ordered: Mapping[str, OrderedDeliverable], kind: str | None
    ) -> tuple[str | None, bool]:
        """Read the deliverable's id, and whether it could be told which it is, if any."""
        value = self._entry.get("deliverableId")
        if value is None or value == "":
            if kind and kind not in FREE_TYPES:
                self._wrong(
                    f"is a {kind} and so needs the deliverableId for which it is made; without "
                    f"one only {' and '.join(FREE_TYPES)} are allowed."
                )
            return None, kind in FREE_TYPES
        found = ordered.get(value) if isinstance(value, str) else None
        if found is None:
            self._wrong(
                f"has the unknown deliverableId {_shown(value)}; "
                f"the campaign has {_listed(ordered) if ordered else 'none'}."
            )
            return None, False
        if kind and kind != found.type:
            self._wrong(f"is a {kind}, but deliverable {found.id} orders {found.type.value}.")
        return found.id, True

    def _quantity(self, most: int) -> int | None:
        value = self._entry.get("quantity")
        if value is None:
            return 1
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return value
        self._wrong(
            f"has the quantity {_shown(value)}; it must be a whole number from 1 to {most}."
        )
        return None

    def _depends_on(self) -> tuple[str, ...]:
        value = self._entry.get("dependsOn")
        if value is None:
            return ()
        if isinstance(value, list) and len(value) <= MAX_ITEMS:
            keys = [key for key in value if isinstance(key, str)]
            if len(keys) == len(value):
                return tuple(dict.fromkeys(keys))
        self._wrong(f"must have a list of at most {MAX_ITEMS} keys as dependsOn.")
        return ()


_STAND_IN = PlanItem(key="", title="", type=ActivityType.RESEARCH, role="", prompt="")


def _check_keys(items: Sequence[PlanItem], errors: list[str]) -> None:
    counts = Counter(item.key for item in items if item.key)
    if repeated := [key for key, count in counts.items() if count > 1]:
        errors.append(f"Each key may be used once; used more often: {_listed(repeated)}.")
    for item in items:
        if unknown := [key for key in item.depends_on if key not in counts]:
            errors.append(
                f"{item.key or 'An activity'} depends on unknown keys: {_listed(unknown)}."
            )
    if circle := _circle({item.key: item.depends_on for item in items if item.key}):
        errors.append(
            f"These activities wait for each other in a circle: {' needs '.join(circle)}."
        )


def _circle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Find one circle of dependencies and name its keys in order, the first again at the end."""
    settled: set[str] = set()
    for start in needs:
        path: list[str] = []
        ways = [iter((start,))]
        while ways:
            key = next(ways[-1], None)
            if key is None:
                ways.pop()
                if path:
                    settled.add(path.pop())
            elif key in path:
                return [*path[path.index(key) :], key]
            elif key in needs and key not in settled:
                path.append(key)
                ways.append(iter(needs[key]))
    return []


def _check_totals(
    read: Sequence[_Read], deliverables: Sequence[OrderedDeliverable], errors: list[str]
) -> None:
    for ordered in deliverables:
        planned = [one for one in read if one.item.deliverable_id == ordered.id]
        total = sum(one.item.quantity for one in planned)
        if total != ordered.quantity and all(one.counted for one in planned):
            errors.append(
                f"Deliverable {ordered.id} orders {ordered.quantity} x {ordered.type.value} a "
                f"period, but the plan makes {total}: the quantities of its activities must add "
                f"up to {ordered.quantity}."
            )


def _check_waits(items: Sequence[PlanItem], errors: list[str]) -> None:
    quantities = {item.key: item.quantity for item in items}
    if sum(waits(item, quantities) for item in items) > MAX_WAITS:
        worst = max(items, key=lambda item: waits(item, quantities))
        errors.append(
            f"There are too many dependencies between copies, most of them of {worst.key}: let it "
            "depend on activities of the same quantity or of quantity 1."
        )


def _listed(names: Iterable[object]) -> str:
    shown = [
        name if isinstance(name, str) and _KEY.fullmatch(name) else _shown(name) for name in names
    ]
    more = len(shown) - _NAMED
    return ", ".join(shown[: _NAMED + 1] if more == 1 else shown[:_NAMED]) + (
        f" and {more} more" if more > 1 else ""
    )


def _shown(value: object) -> str:
    """Show a value of any kind in a few safe characters."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return json.dumps(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 10**12):
        return json.dumps(value)
    return {list: "a list", dict: "an object", int: "a huge number"}.get(type(value), "a value")
