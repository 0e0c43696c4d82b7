import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.tools.web.readable import to_text

URL = "https://tea.example/blog/post?x=1"
PAGE = """<!DOCTYPE html><html><head><title>Green &amp; black</title>
<script>if (a < b) alert("<p>no</p>")</script><style>p { color: red }</style></head>
<body><nav><ul><li><a href="/">Home</a><li><a href='../about#us'>About
 us</a></ul></nav>
<!-- <p>hidden</p> --><h1>Tea</h1><p title="a > b">It is <b>old</b>,
and &euro;4.<br>Twice.</p><h2>Prices</h2><table><tr><th>Kind<th>Price</tr>
<tr><td>Green</td><td>4</td></tr></table><a href="javascript:alert(1)">Click</a>
<noscript>none</noscript><p>2 < 3 & 4 &lt; 5</body></html>"""


def test_a_page_becomes_what_one_reads():
    assert to_text(PAGE, URL) == (
        "Green & black\n"
        "- [Home](https://tea.example/)\n"
        "- [About us](https://tea.example/about#us)\n\n"
        "# Tea\n"
        "It is old, and €4.\n"
        "Twice.\n\n"
        "## Prices\n"
        "Kind | Price\n"
        "Green | 4\n"
        "Click\n"
        "2 < 3 & 4 < 5"
    )


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("", ""),
        ("just text", "just text"),
        ("a<", "a<"),
        ("a<b", "a"),
        ("<p>a</p", "a"),
        ("<!-- open", ""),
        ("a<script>b", "a"),
        ("a<script>b</script>c", "ac"),
        ("a<SCRIPT>b</Script >c", "ac"),
        ('<p title="never closed>a</p>', ""),
        ("<a href='http://[bad'>x</a>", "x"),
        ("<a href=/x>x<a href=/y>y", "[x](https://tea.example/x) [y](https://tea.example/y)"),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
        ("<p>a<p><p>b", "a\nb"),
        ("<![CDATA[x]]>y", "y"),
    ],
)
def test_broken_pages_give_what_there_is(page, text):
    assert to_text(page, URL) == text


@given(st.text(st.sampled_from("<>/!-\"'= aph1&;#x\n"), max_size=200))
def test_no_page_is_too_odd(page):
    assert "<script" not in to_text(page, URL)


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<b>x", "<!--", "<", "</", "</a", "<a href='", "<a href=x>", "<script>", "<svg><p>",
     "<![CDATA[", "<?", "<!a", "&", "&#9", "<table><tr><td>", "<a \"'", "\n ", "<h1>x", "<li>"],
)  # fmt: skip
def test_hostile_pages_take_no_longer_than_their_size(piece):
    page = piece * (400_000 // len(piece))
    began = time.process_time()
    to_text(page, URL)
    assert time.process_time() - began < 3
