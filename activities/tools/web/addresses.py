"""Which addresses of the internet may be connected to: public ones, and nothing else."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Finds the addresses of a host and port; raises OSError when there are none."""

# Beyond what `is_global` knows in every Python: shared (CGNAT), benchmarking, protocol
# assignments, the former 6to4 relays, multicast, reserved.
_REFUSED_V4 = [
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
_GLOBAL_V6 = ip_network("2000::/3")
# Teredo and other protocol assignments, documentation, 6to4: each can hide an IPv4 address.
_REFUSED_V6 = [
    ip_network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tell whether the address belongs to a host of the public internet.

    IPv6 forms that carry an IPv4 address are refused, save NAT64 with a public one in it: that is
    how every IPv4 host looks in an IPv6 network.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return False
        if parsed in _NAT64:
            return is_public(str(IPv4Address(int(parsed) & 0xFFFFFFFF)))
        return parsed in _GLOBAL_V6 and not any(parsed in block for block in _REFUSED_V6)
    return parsed.is_global and not any(parsed in block for block in _REFUSED_V4)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, which also reads the odd spellings of an address."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))
