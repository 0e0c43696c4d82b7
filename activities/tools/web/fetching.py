"""Fetching one page the polite and careful way: limits, redirects step by step, robots.txt."""

import asyncio
import codecs
import re
import ssl
import zlib
from dataclasses import dataclass, replace

import httpx
from protego import Protego

from activities.tools.web.transport import AddressRefused, Allowed, PinnedTransport

USER_AGENT = "ThroughlineBot"
MAX_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 5
MAX_ROBOTS_BYTES = 500 * 1024
MAX_URL = 2000
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_HEADERS = {
    "User-Agent": f"{USER_AGENT}/1.0",
    "Accept": "text/html, application/xhtml+xml, text/*;q=0.9, application/json;q=0.9, "
    "application/xml;q=0.8",
    # What is unpacked here can be bounded; other encodings could not.
    "Accept-Encoding": "gzip",
}
_TEXT_KINDS = frozenset({"application/json", "application/xml", "application/xhtml+xml"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DECLARED = re.compile(rb"""(?:charset|encoding)\s?=\s?["']?([a-zA-Z0-9_-]{1,40})""")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class FetchFailed(Exception):
    """The page cannot be had; the message says why, for a model to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was fetched, from where the redirects led; `kind` is the media type."""

    url: str
    kind: str
    charset: str | None
    content: bytes

    def text(self) -> str:
        """Decode the content; bytes that are no text become replacement characters."""
        charset = self.charset
        if charset is None and (declared := _DECLARED.search(self.content[:2048])):
            charset = declared[1].decode("ascii")
        text = self.content.decode(_text_codec(charset), errors="replace")
        return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


class Fetcher:
    """Fetches pages from what `allowed` lets through; `tls` is for tests with their own."""

    def __init__(self, allowed: Allowed | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._allowed = allowed or Allowed()
        self._tls = tls

    async def page(self, url: str) -> Page:
        """Fetch a page, asking robots.txt of each host on the way.

        Raises:
            FetchFailed: says why there is no page.
        """
        async with self._client() as http:
            return await _follow(http, url, MAX_BYTES, robots=True)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=PinnedTransport(self._allowed, self._tls),
            headers=_HEADERS,
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    location: str | None
    page: Page


async def _follow(http: httpx.AsyncClient, url: str, most: int, *, robots: bool) -> Page:
    at = _checked(url)
    for _ in range(MAX_REDIRECTS + 1):
        if robots:
            await _ask_robots(http, at)
        answer = await _get(http, at, most, any_kind=not robots)
        if answer.status in _REDIRECTS and answer.location is not None:
            at = _checked(str(at.join(_parsed(answer.location))))
        elif 200 <= answer.status < 300:
            return answer.page
        else:
            raise _Refused(answer.status)
    raise FetchFailed(f"The page redirects more than {MAX_REDIRECTS} times.")


class _Refused(FetchFailed):
    """The server answered with a status that is no page."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The server answered with status {status}.")
        self.status = status


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise FetchFailed("This is not a URL.") from error


def _checked(url: str) -> httpx.URL:
    if len(url) > MAX_URL:
        raise FetchFailed(f"A URL has at most {MAX_URL} characters.")
    parsed = _parsed(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise FetchFailed("Only whole http and https addresses can be fetched.")
    if parsed.userinfo:
        raise FetchFailed("A URL with a user name or password in it is not fetched.")
    return parsed.copy_with(fragment=None)


async def _ask_robots(http: httpx.AsyncClient, url: httpx.URL) -> None:
    """Ask the site's robots.txt: without one all is allowed, while it is broken nothing is."""
    place = str(url.copy_with(raw_path=b"/robots.txt"))
    try:
        rules = (await _follow(http, place, MAX_ROBOTS_BYTES, robots=False)).text()
    except _Refused as refused:
        if 400 <= refused.status < 500 and refused.status != 429:
            return
        raise FetchFailed(
            f"The site's robots.txt cannot be read (status {refused.status}), so nothing of it is."
        ) from refused
    if not await asyncio.to_thread(_allows, rules, str(url)):
        raise FetchFailed("The site's robots.txt does not allow this page to be fetched.")


def _allows(rules: str, url: str) -> bool:
    return bool(Protego.parse(rules).can_fetch(url, USER_AGENT))


async def _get(http: httpx.AsyncClient, url: httpx.URL, most: int, *, any_kind: bool) -> _Answer:
    try:
        async with http.stream("GET", url) as response:
            kind, charset = _kind(response)
            empty = Page(url=str(url), kind=kind, charset=charset, content=b"")
            location = response.headers.get("location")
            if not response.is_success:
                return _Answer(status=response.status_code, location=location, page=empty)
            if not (any_kind or _is_text(kind)):
                raise FetchFailed(f"The page is {kind or 'of no known type'}, which is not text.")
            page = replace(empty, content=await _body(response, most))
            return _Answer(status=response.status_code, location=None, page=page)
    except AddressRefused as refused:
        raise FetchFailed(f"This address is not fetched: {refused}.") from refused
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
        raise FetchFailed(f"The server cannot be reached: {_said(error)}.") from error


def _said(error: Exception) -> str:
    return str(error)[:200].rstrip(".") or type(error).__name__


def _kind(response: httpx.Response) -> tuple[str, str | None]:
    kind = response.headers.get("content-type", "").split(";")[0].strip().lower()[:100]
    return kind, response.charset_encoding


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in _TEXT_KINDS or kind.endswith(("+xml", "+json"))


async def _body(response: httpx.Response, most: int) -> bytes:
    """Read the body as it comes, unpacked no further than its limit."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise FetchFailed(f"The page is packed as {encoding[:50]}, which is not understood.")
    unpack = None if encoding == "identity" else zlib.decompressobj(_GZIP_OR_ZLIB)
    content = bytearray()
    async for chunk in response.aiter_raw():
        try:
            content += chunk if unpack is None else unpack.decompress(chunk, most + 1)
        except zlib.error as error:
            raise FetchFailed("The page is packed wrongly.") from error
        if len(content) > most or (unpack is not None and unpack.unconsumed_tail):
            raise FetchFailed(f"The page is larger than {most // 1024} KB.")
    return bytes(content)


def _text_codec(charset: str | None) -> str:
    """Pick a codec for text; Python has others by the same door (zip, rot13, punycode)."""
    try:
        name = codecs.lookup(charset or "utf-8").name
    except (LookupError, ValueError):
        return "utf-8"
    families = ("utf", "iso8859", "cp", "ascii", "koi8", "shift_jis", "euc", "gb", "big5", "mac")
    return name if name.startswith(families) and name != "utf-7" else "utf-8"
