"""What the offline writer says of a client's numbers: sentences around facts, and no others.

Each text says that no language model was configured.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from models.rules.clients.metrics import METRICS, MetricDirection, metric_of
from models.rules.results.insight_words import CONTENT_WORDS, LONGEST_LIST
from models.rules.results.qbr_template import amount, described, figure, label

_UNCONFIGURED: Final = "No language model is configured for this deployment."
_FILLING: Final = (
    "This was put together from what is stored of the connected platforms, and a person should "
    "look at the numbers themselves before anybody relies on it.",
    "It tells what the numbers are and how they changed, and not why: causes are in no number.",
    "Platforms correct their numbers for some days after they first report them, so that the last "
    "days of the period may still change.",
    "Goals for the metrics that matter most make it possible to say how the client stands, and "
    "not only how things have changed.",
    "Whoever knows the client well should add what the numbers leave out.",
)
_NOTABLE: Final = 5.0
"""From which change in percent a metric is named."""
_GRAVE: Final = (40.0, 20.0)
_WORDS: Final[Mapping[str, str]] = {
    "spend": r"spen[dt]|budget|cost(?!\s+per)",
    "conversions": r"conversions?\b(?!\s+value)",
    "conversion_value": r"conversion value|\bvalue\b",
    "roas": r"roas|return on ad",
    "ctr": r"\bctr\b|click.?through",
    "cpa": r"\bcpa\b|cost per (?:conversion|acquisition)",
    "cpc": r"\bcpc\b|cost per click",
    "cpm": r"\bcpm\b",
    "aov": r"\baov\b|average order",
    "store_revenue": r"revenue|sales|turnover",
    "web_revenue": r"revenue",
    "email_revenue": r"revenue",
    "clicks": r"(?<!search )(?<!per )clicks?\b(?!.through)",
}
"""How people name metrics whose own name does not say it."""
_CAMPAIGNS: Final = re.compile(r"campaigns?\b", re.IGNORECASE)
_WHY: Final = re.compile(r"\bwhy\b|\bforecast|\bpredict|\bnext (?:week|month|quarter|year)\b", re.I)
_QUARTER: Final = re.compile(r"quarter|three months|3 months|90 days", re.IGNORECASE)
_OTHER_TIME: Final = re.compile(
    r"yesterday|\bweek|\btoday\b|\byear|\b(?:19|20)\d{2}\b|"
    r"\b(?:january|february|march|april|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)

Given = Mapping[str, Any]


def insight(given: Given) -> str:
    """Write an insight in the form that a model is asked for it."""
    good, bad = _moved(given["metrics"], 1), _moved(given["metrics"], -1)
    period = given["period"]
    days = f"from {period['start']} to {period['end']}"
    words = {
        "content": " ".join(_content(given, days)),
        "headline": f"The results {days}",
        "summary": f"{_best(given)} {_UNCONFIGURED}",
        "highlights": [{**_named(one), "comment": f"{described(one)}."} for one in good],
        "concerns": [
            {**_named(one), "severity": _severity(one), "comment": f"{described(one)}."}
            for one in bad
        ],
        "goal_progress": [
            {**_named(one), "comment": f"{described(one)}."}
            for one in given["metrics"]
            if one["tracking_status"] is not None
        ],
        "campaigns": [
            {
                "campaign_id": one["campaign_id"],
                "platform": one["platform"],
                "verdict": "keep",
                "comment": f"It spent {figure(one['spend'])} {one['currency']} in the period.",
            }
            for one in given["campaigns"][:LONGEST_LIST]
        ],
        "recommendations": [
            {
                "title": f"Look into {label(one)}",
                "rationale": f"{described(one)}.",
                "priority": _severity(one),
                "platform": None,
                "metric_key": one["metric_key"],
            }
            for one in bad
        ],
        "data_quality": list(_quality(given["connections"])),
    }
    return json.dumps(words, ensure_ascii=False)


def answer(given: Given) -> str:
    """Answer a question in the form that a model is asked for it."""
    name = "quarter" if _QUARTER.search(given["question"]) else "month"
    said, cites = [], []
    if not _is_beyond(given["question"], name):
        for one in _asked_for(given["question"], given["metrics"][name]):
            said.append(f"{described(one)}{_target(one)}.")
            cites.append({"of": one["metric_key"], "period": name})
        if _CAMPAIGNS.search(given["question"]) and given["campaigns"]:
            said.append(_top_campaign(given["campaigns"][0]))
            cites.append({"of": "campaigns", "period": "quarter"})
    days = given["periods"][name]
    opening = f"In the {name} from {days['start']} to {days['end']}:"
    if said:
        text = " ".join([opening, *said, _UNCONFIGURED])
    else:
        text = " ".join([*_nothing(given, name), _UNCONFIGURED])
    words = {"is_answered": bool(said), "answer": text, "cites": cites[:LONGEST_LIST]}
    return json.dumps(words, ensure_ascii=False)


def _content(given: Given, days: str) -> list[str]:
    least, most = CONTENT_WORDS
    said = [f"These are the results {days}.", _UNCONFIGURED]
    for sentence in (*(f"{described(one)}." for one in given["metrics"]), *_FILLING):
        length = sum(len(one.split()) for one in said)
        if sentence in _FILLING and length >= least:
            break
        if length + len(sentence.split()) <= most:
            said.append(sentence)
    return said


def _moved(metrics: Sequence[Given], sign: int) -> list[Given]:
    """Metrics that changed for the better (1) or the worse (-1), the largest change first."""
    found = [
        one for one in metrics if one["delta_pct"] is not None and sign * _gain(one) >= _NOTABLE
    ]
    return sorted(found, key=lambda one: -abs(one["delta_pct"]))[:LONGEST_LIST]


def _gain(metric: Given) -> float:
    direction = metric_of(metric["metric_key"]).direction
    signs = {MetricDirection.HIGHER: 1, MetricDirection.LOWER: -1}
    return signs.get(direction, 0) * float(metric["delta_pct"])


def _severity(metric: Given) -> str:
    change = abs(float(metric["delta_pct"]))
    high, medium = _GRAVE
    return "high" if change >= high else "medium" if change >= medium else "low"


def _best(given: Given) -> str:
    moved = _moved(given["metrics"], 1) or given["metrics"]
    return f"{described(moved[0])}." if moved else "Only campaigns have numbers here."


def _named(metric: Given) -> dict[str, Any]:
    return {name: metric[name] for name in ("metric_key", "currency")}


def _quality(connections: Sequence[Given]) -> Iterator[dict[str, Any]]:
    for one in connections:
        if one["status"] != "active":
            yield {"platform": one["platform"], "issue": f"Its connection is {one['status']}."}
        elif one["last_sync_error"]:
            yield {"platform": one["platform"], "issue": "Its last sync did not succeed."}


def _is_beyond(question: str, name: str) -> bool:
    """Whether it asks for causes, for what is to come, or for days that are not these."""
    if _WHY.search(question):
        return True
    return name == "month" and bool(_OTHER_TIME.search(question))


def _asked_for(question: str, metrics: Sequence[Given]) -> list[Given]:
    keys = {key for key in METRICS if _names(question, key)}
    keys |= {one["metric_key"] for one in metrics if _names(question, one["metric_key"])}
    return [one for one in metrics if one["metric_key"] in keys][:LONGEST_LIST]


def _names(question: str, key: str) -> bool:
    pattern = _WORDS.get(key) or re.escape(key.replace("_", " ")).rstrip("s") + r"s?\b"
    return re.search(pattern, question.replace("_", " "), re.IGNORECASE) is not None


def _target(metric: Given) -> str:
    target = metric["target"]
    return "" if target is None else f", with a target of {amount(metric, target)}"


def _top_campaign(campaign: Given) -> str:
    spend = f"{figure(campaign['spend'])} {campaign['currency']}"
    text = f"Of the campaigns of the quarter, {_plain(campaign['name'])} spent most, {spend}"
    if campaign["roas"] is not None:
        text += f", at a ROAS of {figure(campaign['roas'])}"
    return f"{text}."


def _plain(name: str) -> str:
    is_short = name.isprintable() and len(name) <= 90
    return f"“{name}”" if is_short else "one with a long name"


def _nothing(given: Given, name: str) -> Iterator[str]:
    yield "The stored results do not hold an answer to this question."
    known = list(dict.fromkeys(label(one) for one in given["metrics"][name]))[:12]
    if known:
        yield f"For the {name} they hold: {', '.join(known)}."
    else:
        yield f"For the {name} they hold no numbers."
