"""HTTP to addresses that were looked up and checked here, so that nobody can swap them after.

A name is resolved once for each request; the connection goes to one of the checked addresses
itself. What the name means a moment later (DNS rebinding) is never asked.
"""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from activities.tools.web.addresses import Resolver, is_public, resolve

PORTS = frozenset({80, 443})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class AddressRefused(Exception):
    """The host is not one that may be connected to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What may be connected to; tests point names at servers of their own."""

    resolver: Resolver = resolve
    address: Callable[[str], bool] = is_public
    ports: frozenset[int] = PORTS


class PinnedTransport(httpx.AsyncBaseTransport):
    """Resolves, checks and connects; TLS and the Host header still carry the name."""

    def __init__(self, allowed: Allowed, tls: ssl.SSLContext | None = None) -> None:
        self._allowed = allowed
        # No connection is kept: two names on one address must not share a TLS session.
        self._http = httpx.AsyncHTTPTransport(
            verify=tls or ssl.create_default_context(),
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the first checked address that can be reached."""
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or _DEFAULT_PORTS.get(request.url.scheme, 0)
        if port not in self._allowed.ports:
            raise AddressRefused(f"port {port} is not allowed")
        failure: httpx.TransportError | None = None
        for address in await self._addresses(host, port):
            request.extensions = {**request.extensions, "sni_hostname": host}
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                extensions=request.extensions,
            )
            try:
                return await self._http.handle_async_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError(f"{host} cannot be reached")

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await self._allowed.resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{host} is not known") from error
        # One bad address spoils all: an honest name has none.
        if not all(self._allowed.address(address) for address in found):
            raise AddressRefused(f"{host} is not a public address")
        return found

    async def aclose(self) -> None:
        """Close what is still open."""
        await self._http.aclose()
