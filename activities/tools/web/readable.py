"""Web pages as text to read: headings, paragraphs, lists and links, without the machinery.

Pages may be hostile. This scanner passes over the page once, holds no tree, never goes back and
so takes time in proportion to the page, however it is nested or broken off.
"""

import re
from html import unescape
from typing import Final
from urllib.parse import urljoin

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)")
_TAG_PART = re.compile(r"""[>"']""")
_HREF = re.compile(r"""(?:^|\s)href\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_SPACES = re.compile(r"\s+")

_SKIPPED: Final = frozenset(
    {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select",
     "textarea", "canvas", "audio", "video"}
)  # fmt: skip
_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "br", "dd", "details", "dialog", "div", "dl",
     "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
     "header", "hr", "li", "main", "nav", "ol", "option", "p", "pre", "section", "summary", "table",
     "tbody", "tfoot", "thead", "title", "tr", "ul"}
)  # fmt: skip
_CELLS: Final = frozenset({"td", "th"})
_HEADINGS: Final = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_LONGEST_TAG = 10_000


def to_text(page: str, url: str) -> str:
    """Read a page; links become [text](address) with whole addresses."""
    scanner = _Scanner(url)
    scanner.scan(page)
    return scanner.text()


class _Scanner:
    def __init__(self, url: str) -> None:
        self._url = url
        self._lines: list[str] = []
        self._words: list[str] = []
        self._prefix = ""
        self._link: tuple[str, int] | None = None

    def scan(self, page: str) -> None:
        at = 0
        while (opening := page.find("<", at)) >= 0:
            self._say(page[at:opening])
            at = self._markup(page, opening)
        self._say(page[at:])
        self._break()

    def text(self) -> str:
        return "\n".join(self._lines).strip()

    def _markup(self, page: str, at: int) -> int:
        """Take what begins with `<` here, and say where the page goes on."""
        if page.startswith("<!--", at):
            return _after(page, "-->", at + 4)
        if page.startswith(("<!", "<?"), at):
            return _after(page, ">", at + 2)
        tag = _TAG.match(page, at)
        if tag is None:
            self._say("<")
            return at + 1
        end = _end_of_tag(page, tag.end())
        closes, name = tag[1] == "/", tag[2].lower()
        if name in _SKIPPED and not closes:
            return _after_element(page, name, end)
        self._tag(name, page[tag.end() : end], closes=closes)
        return end

    def _tag(self, name: str, attributes: str, *, closes: bool) -> None:
        if name in _BLOCKS:
            self._break()
            if not closes and name in _HEADINGS:
                self._prefix = _HEADINGS[name]
            elif not closes and name == "li":
                self._prefix = "- "
        elif name in _CELLS and not closes and self._words:
            self._words.append(" | ")
        elif name == "a":
            self._end_link()
            if not closes and (href := _address(attributes, self._url)):
                self._link = (href, len(self._words))

    def _say(self, raw: str) -> None:
        if raw:
            self._words.append(_unescaped(raw))

    def _end_link(self) -> None:
        if self._link is not None:
            href, begun = self._link
            self._link = None
            if words := _SPACES.sub(" ", "".join(self._words[begun:])).strip():
                self._words[begun:] = [f" [{words}]({href}) "]

    def _break(self) -> None:
        self._end_link()
        line = _SPACES.sub(" ", "".join(self._words)).strip()
        self._words.clear()
        if line:
            if self._prefix.startswith("#") and self._lines:
                self._lines.append("")
            self._lines.append(self._prefix + line)
            self._prefix = ""


def _unescaped(raw: str) -> str:
    try:
        return unescape(raw)
    except ValueError:  # A character reference of thousands of digits.
        return raw


def _after(page: str, mark: str, at: int) -> int:
    found = page.find(mark, at)
    return found + len(mark) if found >= 0 else len(page)


def _end_of_tag(page: str, at: int) -> int:
    """Find the end of a tag, past quoted values; one that never ends is as long as tags may be."""
    limit = min(at + _LONGEST_TAG, len(page))
    while part := _TAG_PART.search(page, at, limit):
        if part[0] == ">":
            return part.end()
        closing = page.find(part[0], part.end(), limit)
        if closing < 0:
            break
        at = closing + 1
    return limit


def _after_element(page: str, name: str, at: int) -> int:
    """Skip to the element's end tag; elements of the same name inside are not counted."""
    closing = re.compile(rf"</{name}(?=[\s/>])[^>]*>?", re.I).search(page, at)
    return closing.end() if closing else len(page)


def _address(attributes: str, base: str) -> str | None:
    found = _HREF.search(attributes)
    if found is None:
        return None
    href = _unescaped(found[1] or found[2] or found[3] or "").strip()
    try:
        whole = urljoin(base, href)
    except ValueError:
        return None
    return whole if whole.startswith(("http://", "https://")) and not href.startswith("#") else None
