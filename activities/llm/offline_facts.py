"""What the offline writer knows of a turn, and what it reads out of a brief without a model."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from activities.llm.offline_plan import Deliverable
from activities.ports import TurnRequest

ASK: Final = "offline: ask"
"""A line of a brief that makes the offline writer's research ask a question first."""

_MOST_PIECES = 12
_LONGEST_POINT = 240
_WORD = re.compile(r"[^\W\d_][\w'’-]{3,}")
_MARKUP = re.compile(r"^[#>*\-\s\d.]+|[*_`|]")
_NOT_PROSE = ("#", "|", ">", "*No language model")
_ORDER = re.compile(
    r"(?:[\w -]{1,24}:|(?:build|create|drive|grow|increase|launch|make|plan|produce|promote|publish"
    r"|run|use|want|we want|we need|write)\b)",
    re.IGNORECASE,
)
_AUDIENCE = (
    re.compile(r"\baudience\s*(?:is|are|:|=)\s*(?P<who>[^.;\n]+)", re.IGNORECASE),
    re.compile(r"\b(?:aimed at|targeting|written for|reach) (?P<who>[^.,;:\n]+)", re.IGNORECASE),
    # "for our new shop" names what is sold, "for families with a garden" who buys it.
    re.compile(r"\bfor (?!(?:our|the|a|an|this|my|its|us) )(?P<who>[^.,;:\n]+)", re.IGNORECASE),
)
_STOPWORDS: Final = frozenset(
    """about above after again also another around because been before being below between both
    brief campaign could deliver does doing down during each every ever from further have having
    here into just like make making many month months more most much must need needs next offline
    only other over please post posts same several should some such than that their them then
    there these they this those through under until very want wants week weeks were what when
    where which while will with without would write year your yours
    build calm cost cover create drive grow help increase launch offer percent produce promote
    publish tone""".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A piece of text with a title: an earlier activity's output or a passage."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of a turn as the prompt renderer gives them; whatever is missing is empty."""

    activity_type: str
    title: str
    campaign_name: str
    brief: str
    asks: bool
    deliverables: tuple[Deliverable, ...]
    inputs: tuple[Source, ...]
    passages: tuple[Source, ...]
    feedback: tuple[str, ...]
    decision: str | None
    review_of: str | None
    pieces: int

    @property
    def about(self) -> str:
        """What the work is about, in a few words."""
        return self.campaign_name or self.title


def read_facts(request: TurnRequest) -> Facts:
    """Read the request's facts, leniently: the offline writer writes with what it has."""
    given = request.facts
    lines = str(given.get("brief") or "").splitlines()
    return Facts(
        activity_type=str(given.get("activity_type") or "draft"),
        title=str(given.get("title") or "Draft"),
        campaign_name=str(given.get("campaign_name") or ""),
        brief="\n".join(line for line in lines if line.strip() != ASK).strip(),
        asks=any(line.strip() == ASK for line in lines),
        deliverables=tuple(map(_deliverable, given.get("deliverables") or ())),
        inputs=_sources(given.get("inputs")),
        passages=_sources(given.get("passages")),
        feedback=tuple(str(said) for said in given.get("feedback") or ()),
        decision=given.get("decision") or None,
        review_of=given.get("review_of") or None,
        pieces=max(1, min(_MOST_PIECES, int(given.get("quantity") or 1))),
    )


def points(text: str, limit: int = 6) -> list[str]:
    """Sentences of a text without their markup, the first few; headings and tables are skipped."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith(_NOT_PROSE))
    cuts = (cut for line in lines for cut in re.split(r"(?<=[.!?])\s+", line))
    found = (_MARKUP.sub("", cut).strip() for cut in cuts)
    return [cut[:_LONGEST_POINT].rstrip(".") for cut in found if len(cut) > 1][:limit]


def claims(brief: str) -> list[str]:
    """Those points that say something to readers; orders to the writer are left out."""
    return [point for point in points(brief) if not _ORDER.match(point)]


def keywords(title: str, brief: str, limit: int = 8) -> list[str]:
    """Phrases of the title, then words by how often they come, then in order of appearance."""
    pairs = re.findall(r"(?=\b([^\W\d_][\w-]{3,} [^\W\d_][\w-]{3,})\b)", title.lower())
    phrases = [pair for pair in pairs if not _STOPWORDS & set(pair.split())][:2]
    used = _STOPWORDS | {word for phrase in phrases for word in phrase.split()}
    words = [word for word in _WORD.findall(f"{title}\n{brief}".lower()) if word not in used]
    return [*phrases, *(word for word, _ in Counter(words).most_common(limit))][:limit]


def audience(brief: str) -> str:
    """Whom the brief is written for, in its own words where it says so."""
    for pattern in _AUDIENCE:
        if match := pattern.search(brief):
            return match["who"].strip()[:120]
    return "the readers the brief describes"


def angles(brief: str, subject: str) -> list[str]:
    """Three directions a campaign could take, out of the brief's own claims."""
    made = [f"{claim[0].upper()}{claim[1:]}" for claim in claims(brief)[:3]]
    spare = (
        f"Why to look at {subject} now",
        f"What it costs to leave {subject} for later",
        f"How to begin with {subject} this week",
    )
    return [*made, *spare][:3]


def _deliverable(given: Mapping[str, Any]) -> Deliverable:
    return Deliverable(
        id=str(given["id"]), type=str(given["type"]), quantity=int(given["quantity"])
    )


def _sources(given: Sequence[Mapping[str, Any]] | None) -> tuple[Source, ...]:
    return tuple(
        Source(title=str(one.get("title") or "Untitled"), text=str(one.get("text") or ""))
        for one in given or ()
    )
