from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.tools.web.addresses import is_public, resolve


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1",
     "2606:4700:4700::1111", "2a00:1450:4001:830::200e", "64:ff9b::101:101"],
)  # fmt: skip
def test_public_addresses_may_be_connected_to(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255",
        "192.168.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1",
        "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8", "fe80::1",
        "fe80::1%eth0", "2606:4700::1%eth0", "fc00::1", "fd12::1", "ff02::1", "fec0::1",
        "2002:7f00:1::", "2002:808:808::", "2001::1", "2001:0:4136:e378::", "2001:db8::1",
        "3fff::1", "100::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808",
        "5f00::1", "4000::1", "", "localhost", "1.1.1", "1.1.1.1.1", "0x7f.1", "1.1.1.1/32",
    ],
)  # fmt: skip
def test_all_others_may_not(address):
    assert not is_public(address)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_nothing_is_public_that_python_knows_to_be_otherwise(address):
    if is_public(str(address)):
        assert address.is_global
        assert True not in (address.is_multicast, address.is_reserved, address.is_private)


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_an_ipv6_form_never_hides_a_private_ipv4_address(address):
    if is_public(str(address)):
        assert address.ipv4_mapped is None
        assert address.sixtofour is None
        assert address.teredo is None


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1"])
async def test_odd_spellings_are_read_before_they_are_judged(spelling):
    assert not any([is_public(address) for address in await resolve(spelling, 80)])
