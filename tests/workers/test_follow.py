"""When a followed campaign has come to its end, and what its progress looks like in a file."""

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from workers.api_client import Activity, Approval, Campaign
from workers.follow import is_resting, is_settled
from workers.progress import LiveView, PlainView, Snapshot, make_view


def activity(status: str, number: int = 1) -> Activity:
    return Activity(
        id=f"A{number}",
        title=f"Post {number}",
        type="blog_post",
        status=status,
        agent_role="copywriter",
        wake_reason="planned",
        cost_usd=0.5,
    )


APPROVAL = Approval(id="P1", title="?", type="content_review", risk_level="low", status="pending")


def snapshot(
    *statuses: str, campaign: str = "active", approvals: Sequence[Approval] = ()
) -> Snapshot:
    return Snapshot(
        campaign=Campaign(id="C1", name="Spring", status=campaign, spent_usd=1),
        activities=[activity(status, number) for number, status in enumerate(statuses)],
        approvals=approvals,
    )


@pytest.mark.parametrize(
    ("look", "settled"),
    [
        (snapshot("done", "done", "failed"), True),
        (snapshot("done", "in_progress"), False),
        (snapshot("done", "created"), False),
        (snapshot("done", "blocked"), False),
        (snapshot("done"), False),
        (snapshot(), False),
        (snapshot("in_progress", campaign="draft"), False),
        (snapshot("failed", campaign="draft"), True),
    ],
)
def test_a_campaign_is_settled_when_all_its_work_has_ended(look: Snapshot, settled: bool):
    assert is_settled(look) is settled


@pytest.mark.parametrize(
    ("look", "resting"),
    [
        (snapshot("done", "blocked"), True),
        (snapshot("failed", "created"), True),
        (snapshot("done", "assigned"), False),
        (snapshot("blocked", approvals=[APPROVAL]), False),
    ],
)
def test_a_campaign_rests_when_nothing_moves_and_nobody_is_asked(look: Snapshot, resting: bool):
    assert is_resting(look) is resting


def plain() -> tuple[PlainView, io.StringIO]:
    file = io.StringIO()
    view = make_view(Console(file=file, width=80))
    assert isinstance(view, PlainView)
    return view, file


def test_a_file_gets_a_line_for_each_change_and_none_for_the_rest():
    view, file = plain()
    for _ in range(3):
        view.show(snapshot("in_progress"))
    view.show(snapshot("done"))
    lines = [line[10:] for line in file.getvalue().splitlines()]
    assert lines == [
        "Campaign Spring: active",
        "copywriter: Post 0: in_progress (planned)",
        "copywriter: Post 0: done (planned)  $0.5000",
    ]


def test_words_come_in_whole_lines_and_the_rest_with_the_end():
    view, file = plain()
    view.show(snapshot("in_progress"))
    for piece in ("One ", "line.\nAnother [b]one[/b]", " goes"):
        view.words(activity("in_progress", 0), piece)
    assert "Another" not in file.getvalue()
    view.show(snapshot("done"))
    written = [line.strip() for line in file.getvalue().splitlines() if "|" in line]
    assert written == ["copywriter | One line.", "copywriter | Another [b]one[/b] goes"]


def test_a_terminal_gets_a_table_that_is_drawn_in_place():
    file = io.StringIO()
    view = make_view(Console(file=file, width=100, height=30, force_terminal=True))
    assert isinstance(view, LiveView)
    view.show(snapshot("in_progress", *["done"] * 20, approvals=[APPROVAL]))
    view.words(activity("in_progress", 0), "Slow mornings\nare worth [protecting]")
    view.close()
    for text in ("Spring", "Post 0", "and 7 more", "[protecting]", "1 waiting for your approval"):
        assert text in file.getvalue()
