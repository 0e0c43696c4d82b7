"""What a file with a brief turns into."""

import json
from pathlib import Path

import pytest

from workers.briefs import DEFAULT_DELIVERABLES, DEMO_BRIEF, BriefUnusable, read_brief


def brief(tmp_path: Path, text: str, name: str = "spring.md") -> dict[str, object]:
    path = tmp_path / name
    path.write_text(text)
    return read_brief(path)


def test_the_first_heading_names_it_and_the_whole_text_is_the_brief(tmp_path: Path):
    text = "Intro.\n\n## Spring sale ##\n\nSell more.\n\n# Later\n"
    body = brief(tmp_path, text)
    assert (body["name"], body["brief"]) == ("Spring sale", text.strip())


def test_without_a_heading_the_file_names_it(tmp_path: Path):
    assert brief(tmp_path, "Just sell.")["name"] == "spring"


def test_deliverables_have_a_default(tmp_path: Path):
    made = brief(tmp_path, "# A\nB")["deliverables"]
    assert made == [{"type": kind, "quantity": n} for kind, n in DEFAULT_DELIVERABLES.items()]


def test_front_matter_says_more(tmp_path: Path):
    text = (
        "---\nname: 'Autumn'\nbudgetCapUsd: 12.5\nstartDate: 2030-01-01\n# a remark\n"
        "deliverables:\n  - blog_post: 2\n  - ad_copy\n  - social_post x 4\n---\n# Heading\nText\n"
    )
    assert brief(tmp_path, text) == {
        "name": "Autumn",
        "brief": "# Heading\nText",
        "budgetCapUsd": 12.5,
        "startDate": "2030-01-01",
        "deliverables": [
            {"type": "blog_post", "quantity": 2},
            {"type": "ad_copy", "quantity": 1},
            {"type": "social_post", "quantity": 4},
        ],
    }


def test_a_rule_line_without_an_end_is_text(tmp_path: Path):
    assert brief(tmp_path, "---\nHello")["brief"] == "---\nHello"


def test_json_is_the_body_itself(tmp_path: Path):
    body = {"name": "A", "brief": "B", "deliverables": [], "unknown": 1}
    assert brief(tmp_path, json.dumps(body), "brief.json") == body


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("", "a.md", "empty"),
        ("---\nname: x\n---\n", "a.md", "empty"),
        ("a" * 20_001, "a.md", "20001 characters"),
        ("---\n- poem: 2\n---\nText", "a.md", "poem"),
        ("---\nbudgetCapUsd: much\n---\nText", "a.md", "not a number"),
        ("---\ncolour: red\n---\nText", "a.md", "colour"),
        ("[1]", "a.json", "not an object"),
        ("{", "a.json", "no JSON"),
    ],
)
def test_a_file_that_is_no_brief_says_why(tmp_path: Path, text: str, name: str, reason: str):
    with pytest.raises(BriefUnusable, match=reason):
        brief(tmp_path, text, name)


def test_a_missing_file_says_so(tmp_path: Path):
    with pytest.raises(BriefUnusable, match="cannot be read"):
        read_brief(tmp_path / "nowhere.md")


def test_the_shipped_brief_can_be_read():
    body = read_brief(DEMO_BRIEF)
    assert "Harbour Roast" in str(body["name"])
    assert body["budgetCapUsd"] == 25
