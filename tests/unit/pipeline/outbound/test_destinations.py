from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.outbound import Allowed, UrlNotAllowed, destination
from pipeline.outbound.destinations import is_public

ANYWHERE = Allowed(schemes=frozenset({"http", "https"}), ports=frozenset({80, 443, 8443}))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  nobody binds to it
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2a00:1450:4010::8a", "2606:4700::1111"])
def test_what_anybody_may_reach_passes(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_both_ways_of_writing_it(address: IPv4Address) -> None:
    assert Allowed().permits(IPv6Address(f"::ffff:{address}")) == Allowed().permits(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_a_network_that_the_operator_allows_passes_and_only_that(address: IPv4Address) -> None:
    allowed = Allowed(networks=(ip_network("10.0.0.0/8"),))
    assert allowed.permits(address)
    assert allowed.permits(IPv6Address(f"::ffff:{address}"))
    assert not allowed.permits(ip_address("127.0.0.1"))


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("file:///etc/passwd", "scheme"),
        ("ftp://example.org/a", "scheme"),
        ("gopher://example.org/", "scheme"),
        ("http://example.org/", "scheme"),
        ("//example.org/", "scheme"),
        ("example.org/a.wav", "scheme"),
        ("", "form"),
        ("https://", "form"),
        ("https:///a.wav", "form"),
        ("https://exa mple.org/", "form"),
        ("https://example.org\\@10.0.0.1/", "form"),
        ("https://example.org/\r\nX: y", "form"),
        ("https://пример.рф/", "form"),
        ("https://example.org/a#b", "form"),
        ("https://[::1", "form"),
        ("https://[fe80::1%25eth0]/", "form"),
        ("https://example.org:99999/", "form"),
        ("https://example.org:x/", "form"),
        ("https://user:secret@example.org/", "credentials"),
        ("https://example.org:22/", "port"),
        ("https://example.org:0/", "port"),
        (f"https://example.org/{'a' * 2000}", "form"),
    ],
)
def test_a_url_that_is_not_allowed_is_refused_with_its_fault(url: str, fault: str) -> None:
    with pytest.raises(UrlNotAllowed) as refused:
        destination(url, Allowed())
    assert refused.value.fault == fault


def test_a_url_is_taken_apart() -> None:
    found = destination("HTTPS://Example.org/a%20b.wav?X=1&y=%2F", Allowed())
    assert (found.scheme, found.host, found.port, found.target) == (
        "https",
        "example.org",
        443,
        "/a%20b.wav?X=1&y=%2F",
    )
    assert destination("http://[2a00::1]:8443", ANYWHERE).host == "2a00::1"
    assert destination("http://[2a00::1]:8443", ANYWHERE).target == "/"


@given(st.text(max_size=200))
def test_no_text_at_all_does_more_than_be_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.org/{text}"):
        try:
            found = destination(url, ANYWHERE)
        except UrlNotAllowed:
            continue
        assert found.scheme in ANYWHERE.schemes
        assert found.port in ANYWHERE.ports
        assert found.target.isascii()
        assert not any(character.isspace() for character in found.host + found.target)
