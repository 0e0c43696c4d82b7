"""What `prove` means by lost, duplicated, re-billed and out of order, judged on the record.

Everything here is pure: the record of a tenant, what the model server was asked and what the
approver was promised go in, sentences about what is wrong come out. No sentence, no fault.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from models.queries.agents.proof import Record

COUNTERS: Final = ("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens")
_MARK: Final = slice(1, 13)
"""Where an answer of the wire model carries the digest of what it was asked."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What is wrong, in sentences by kind; all lists are empty on a sound record."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    rebilled: list[str] = field(default_factory=list)
    approvals_lost: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Every sentence."""
        kinds = (self.lost, self.duplicated, self.rebilled, self.approvals_lost, self.out_of_order)
        return [sentence for kind in kinds for sentence in kind]

    def add(self, other: "Findings") -> None:
        """Take in what was found elsewhere."""
        self.lost += other.lost
        self.duplicated += other.duplicated
        self.rebilled += other.rebilled
        self.approvals_lost += other.approvals_lost
        self.out_of_order += other.out_of_order


def judge(
    record: Record, calls: Sequence[Mapping[str, Any]] | None, approved: Iterable[str]
) -> Findings:
    """Judge one tenant's record at rest; `calls` may hold other tenants' calls too."""
    found = Findings(
        lost=list(lost(record)),
        duplicated=list(duplicated(record)),
        rebilled=list(wrongly_booked(record)),
        approvals_lost=list(approvals_lost(record, approved)),
        out_of_order=[*feed_faults(record), *log_faults(record), *text_faults(record)],
    )
    if calls is not None:
        found.lost += never_asked(record, calls)
        found.rebilled += asked_again(record, calls)
        found.rebilled += miscounted(record, calls)
    return found


def lost(record: Record) -> Iterator[str]:
    """Work that is gone.

    A campaign without its period; an activity that is not done or has no output; a run that
    failed (a kill must not fail one) or never ended; a turn that is still open; a settled turn
    without its message in the transcript or its charge in the ledger; a tool call unanswered.
    """
    opened = {row.campaign_id for row in record.periods}
    yield from (f"campaign {row.id} has no period" for row in record.campaigns
                if row.id not in opened)  # fmt: skip
    outputs = {row.id: row.text for row in record.outputs}
    for row in record.activities:
        if row.status != "done":
            yield f"activity {row.id} ({row.type}) is {row.status}: {row.last_error_message}"
        elif not outputs.get(row.output_id):
            yield f"activity {row.id} ({row.type}) is done without an output"
    yield from (f"run {row.id} is {row.status}: {row.error_message}"
                for row in record.runs if row.status != "completed")  # fmt: skip
    yield from (f"tool call {row.id} of run {row.run_id} has no answer"
                for row in record.tool_calls if row.output is None)  # fmt: skip
    yield from _lost_turns(record)


def _lost_turns(record: Record) -> Iterator[str]:
    charged = {(row.run_id, row.turn, row.attempt) for row in record.ledger}
    for row in record.turns:
        if row.status == "open":
            yield f"turn {row.number} of run {row.run_id} is open"
        used = row.status == "settled" and any(getattr(row, name) for name in COUNTERS)
        if used and (row.run_id, row.number, row.attempt) not in charged:
            yield f"turn {row.number} of run {row.run_id} is not in the ledger"
    answered = _by(record.answers, "run_id")
    for run_id, turns in _settled(record).items():
        if len(answered[run_id]) < len(turns):
            yield f"run {run_id}: {len(turns)} turns, {len(answered[run_id])} answers"


def duplicated(record: Record) -> Iterator[str]:
    """Work that is there twice.

    A turn that was settled twice; an answer that is in the transcript twice; an activity with two
    runs that ended well, though nobody sent it back; one that was announced as completed twice;
    two approvals that ask the same about the same activity.
    """
    twice = Counter((row.run_id, row.number) for row in record.turns if row.status == "settled")
    yield from (f"turn {number} of run {run_id} is settled {count} times"
                for (run_id, number), count in twice.items() if count > 1)  # fmt: skip
    settled = _settled(record)
    for run_id, answers in _by(record.answers, "run_id").items():
        if len(answers) > len(settled[run_id]):
            yield f"run {run_id}: {len(answers)} answers, {len(settled[run_id])} turns"
    runs = Counter(row.activity_id for row in record.runs if row.status == "completed")
    done = Counter(row.payload["activityId"] for row in record.events
                   if row.kind == "activity_completed")  # fmt: skip
    asked: Counter[str] = Counter(row.activity_id for row in record.links)
    for what, counted in (("completed runs", runs), ("completions", done), ("approvals", asked)):
        yield from (f"activity {key} has {count} {what}"
                    for key, count in counted.items() if count > 1)  # fmt: skip


def wrongly_booked(record: Record) -> Iterator[str]:
    """Money that does not add up.

    Two charges for settled attempts at one turn; a campaign, activity or run whose total is not
    the sum of its ledger entries; anything still reserved when nothing is under way.
    """
    settled = {(row.run_id, row.number, row.attempt) for row in record.turns
               if row.status == "settled"}  # fmt: skip
    charges = Counter((row.run_id, row.turn) for row in record.ledger
                      if (row.run_id, row.turn, row.attempt) in settled)  # fmt: skip
    yield from (f"turn {turn} of run {run_id} is charged {count} times"
                for (run_id, turn), count in charges.items() if count > 1)  # fmt: skip
    yield from _sums(record, "campaign_id", ((row.id, row.spent_usd) for row in record.campaigns))
    yield from _sums(record, "activity_id", ((row.id, row.spent_usd) for row in record.activities))
    yield from _sums(record, "run_id", ((row.id, row.cost_usd) for row in record.runs))
    for row in record.campaigns:
        if row.reserved_usd or row.beyond_cap_usd:
            yield f"campaign {row.id} has {row.reserved_usd} + {row.beyond_cap_usd} reserved"
    for row in (*record.activities, *record.turns, *record.months):
        if row.reserved_usd:
            yield f"{row.reserved_usd} is reserved: {row._mapping}"


def approvals_lost(record: Record, approved: Iterable[str]) -> Iterator[str]:
    """Decisions that were taken and forgotten, or never asked for.

    An approval that the API said was approved, and that is not, or that has not exactly one such
    entry in the audit log, or whose activities are not done; one that is still pending.
    """
    known = {row.id: row for row in record.approvals}
    noted = Counter(row.entity_id for row in record.decisions if row.action == "approved")
    done = {row.id for row in record.activities if row.status == "done"}
    for approval_id in approved:
        row = known.get(approval_id)
        if row is None or row.status != "approved":
            yield f"approval {approval_id} is {row.status if row else 'gone'}, though approved"
        elif noted[approval_id] != 1:
            yield f"approval {approval_id} is in the audit log {noted[approval_id]} times"
        waiting = {link.activity_id for link in record.links if link.approval_id == approval_id}
        yield from (f"approval {approval_id}: {one} does not go on" for one in waiting - done)
    yield from (f"approval {row.id} is pending" for row in record.approvals
                if row.status == "pending")  # fmt: skip


def feed_faults(record: Record) -> Iterator[str]:
    """Faults of the tenant's feed.

    Ids must run from 1 without a gap up to the counter; an activity must have started before it
    completes.
    """
    numbers = [row.seq for row in record.events]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the feed's ids are not 1 to {len(numbers)}"
    yield from (f"the feed's counter is {row.next_seq}" for row in record.event_counters
                if row.next_seq != len(numbers) + 1)  # fmt: skip
    started = set()
    for row in record.events:
        if row.kind == "activity_started":
            started.add(row.payload["activityId"])
        elif row.kind == "activity_completed" and row.payload["activityId"] not in started:
            yield f"activity {row.payload['activityId']} completed before it started"


def log_faults(record: Record) -> Iterator[str]:
    """Faults of an activity's streamed log.

    Its numbers must run from 1 without a gap; nothing of a run may come after its end; nothing of
    a turn's attempt after the reset that voided it or after the next attempt began.
    """
    counters = {row.activity_id: row.next_seq for row in record.streams}
    for activity_id, rows in _by(record.run_events, "activity_id").items():
        if [row.seq for row in rows] != list(range(1, len(rows) + 1)):
            yield f"the log of {activity_id} has gaps"
        if counters.get(activity_id) != len(rows) + 1:
            yield f"the log of {activity_id} counts to {counters.get(activity_id)}"
        yield from (f"the log of {activity_id}: {fault}" for fault in _misplaced(rows))


def _misplaced(rows: Iterable[Any]) -> Iterator[str]:
    ended: set[str] = set()
    newest: dict[tuple[str, int], int] = {}
    for row in rows:
        if row.run_id in ended:
            yield f"number {row.seq} comes after the end of its run"
        if row.kind in ("completed", "error"):
            ended.add(row.run_id)
        if row.attempt is not None and row.turn is not None:
            turn = (row.run_id, row.turn)
            if row.attempt < newest.get(turn, 0):
                yield f"number {row.seq} is of an attempt that is void"
            newest[turn] = row.attempt + (row.kind == "turn_reset")


def text_faults(record: Record) -> Iterator[str]:
    """What viewers read of a settled turn must be the stored answer, to the letter."""
    streamed: defaultdict[tuple[str, int, int], str] = defaultdict(str)
    for row in record.run_events:
        if row.kind == "text_delta":
            streamed[row.run_id, row.turn, row.attempt] += row.payload["delta"]
    for row, answer in _settled_with_answer(record):
        if streamed[row.run_id, row.number, row.attempt] != answer:
            yield f"turn {row.number} of run {row.run_id} was streamed otherwise than stored"


def never_asked(record: Record, calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Answers that the model server never gave."""
    known = {call["digest"][:12] for call in calls}
    for row, answer in _settled_with_answer(record):
        if answer[_MARK] not in known:
            yield f"turn {row.number} of run {row.run_id} has an answer that nobody gave"


def asked_again(record: Record, calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Turns that were asked more often than they may.

    The model server was asked for a turn after its answer was stored, or more often than the
    record has attempts at it.
    """
    asked = _calls_by_mark(calls)
    tries = Counter((row.run_id, row.number) for row in record.turns)
    for row, answer in _settled_with_answer(record):
        same = asked[answer[_MARK]]
        late = [call for call in same if call["asked_at"] > row.ended_at.timestamp()]
        if late:
            yield f"turn {row.number} of run {row.run_id} was asked again after it was stored"
        if len(same) > tries[row.run_id, row.number]:
            attempts = tries[row.run_id, row.number]
            yield f"turn {row.number} of run {row.run_id}: {len(same)} calls, {attempts} attempts"


def miscounted(record: Record, calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Turns that were charged with other counters than the model server told."""
    asked = _calls_by_mark(calls)
    for row, answer in _settled_with_answer(record):
        told = [call["usage"] for call in asked[answer[_MARK]] if call["finished"]]
        booked = {name: getattr(row, name) for name in COUNTERS}
        if told and booked not in told:
            yield f"turn {row.number} of run {row.run_id} was billed {booked}, told {told}"


def unclaimed(records: Iterable[Record], calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Calls whose answer is nobody's: a turn that was paid for and is not in any record."""
    kept = {answer[_MARK] for record in records for _, answer in _settled_with_answer(record)}
    asked = {call["digest"][:12] for call in calls}
    yield from (f"what was asked as {mark} is in no record" for mark in asked - kept)


def _sums(record: Record, column: str, totals: Iterable[tuple[str, Decimal]]) -> Iterator[str]:
    booked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in record.ledger:
        booked[getattr(row, column)] += row.cost_usd
    for key, total in totals:
        if booked[key] != total:
            yield f"{column} {key} says {total}, its ledger {booked[key]}"


def _settled(record: Record) -> defaultdict[str, list[Any]]:
    return _by((row for row in record.turns if row.status == "settled"), "run_id")


def _settled_with_answer(record: Record) -> Iterator[tuple[Any, str]]:
    """Each settled turn with the words that are stored of it."""
    answered = _by(record.answers, "run_id")
    for run_id, turns in _settled(record).items():
        for turn, answer in zip(turns, answered[run_id], strict=False):
            yield turn, "".join(block["text"] for block in answer.blocks if block["kind"] == "text")


def _calls_by_mark(calls: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    asked: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for call in calls:
        asked[call["digest"][:12]].append(call)
    return asked


def _by(rows: Iterable[Any], column: str) -> defaultdict[str, list[Any]]:
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[getattr(row, column)].append(row)
    return grouped
