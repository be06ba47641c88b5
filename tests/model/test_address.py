"""The address grammar: every form parses, prints and parses to the same again; wrong ones say how to write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.model.address import (
    AddressError,
    Endpoint,
    UnixPath,
    check_host_name,
    is_loopback,
    parse_address,
    parse_ip,
    parse_port,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5920", Endpoint(None, 5920)),
        ("localhost:5920", Endpoint("localhost", 5920)),
        ("10.20.0.2:8080", Endpoint("10.20.0.2", 8080)),
        ("[::1]:5920", Endpoint("::1", 5920)),
        ("::1/5920", Endpoint("::1", 5920)),
        ("fe80::1%eth0/5920", Endpoint("fe80::1%eth0", 5920)),
        ("*:5920", Endpoint("*", 5920)),
        ("auto", Endpoint(None, 0)),
        ("10.20.0.2:auto", Endpoint("10.20.0.2", 0)),
        ("10.20.0.2:0", Endpoint("10.20.0.2", 0)),
        ("unix:/run/app.sock", UnixPath("/run/app.sock")),
        ("db_1.internal-net:5432", Endpoint("db_1.internal-net", 5432)),
    ],
)
def test_listening_forms(text: str, value: object) -> None:
    assert parse_address(text, listening=True) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("70000", "out of range"),
        ("0", "out of range"),
        ("host:0", "out of range"),
        ("22:22", "bare number"),
        ("host:", "is not a port"),
        ("host:http", "is not a port"),
        ("host", "has no port"),
        ("::1", "has no port"),
        ("1:2:3", "is not an address"),
        ("[::1", "does not close"),
        ("[::1]5920", "does not close"),
        ("[10.0.0.1]:5920", "not an IPv6 address"),
        ("*:5920", "is not a host"),
        ("auto", "has no port"),
        ("unix:", "no path"),
        ("unix:run/x", "not absolute"),
        ("unix:/" + "x" * 107, "108 bytes"),
        ("unix:/" + "é" * 54, "109 bytes"),
        (":5920", "the host is empty"),
        ("-oProxyCommand=x:22", "not a host name"),
        ("a;b:22", "not a host name"),
        ("$(id):22", "not a host name"),
        ("host:99999999999999999999999999", "out of range"),
        ("host:٣", "is not a port"),
    ],
)
def test_what_is_no_address_to_dial(text: str, message: str) -> None:
    with pytest.raises(AddressError, match=message):
        parse_address(text)


def test_a_missing_port_is_allowed_where_it_may_be_missing() -> None:
    assert parse_address("10.0.0.1", port_required=False) == Endpoint("10.0.0.1", None)
    assert parse_address("::1", port_required=False) == Endpoint("::1", None)


def test_the_suggestion_says_how_to_write_it() -> None:
    with pytest.raises(AddressError) as caught:
        parse_address("::1")
    assert caught.value.suggestion == "write [::1]:PORT"


@given(
    st.one_of(st.none(), st.sampled_from(["a", "a.b", "10.0.0.1", "::1", "fd00::2", "*"])),
    st.integers(min_value=0, max_value=65535),
)
def test_printing_and_parsing_agree(host: str | None, port: int) -> None:
    value = Endpoint(host, port)
    assert parse_address(str(value), listening=True) == value


@given(st.text())
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        value = parse_address(text, listening=True)
    except AddressError:
        return
    assert parse_address(str(value), listening=True) == value


def test_loopback_is_known_by_name_and_by_literal() -> None:
    assert is_loopback("localhost")
    assert is_loopback("LocalHost.")
    assert is_loopback("127.9.9.9")
    assert is_loopback("::1")
    assert not is_loopback("localhost.example")
    assert not is_loopback("10.0.0.1")


def test_small_parsers() -> None:
    assert parse_port("443") == 443
    assert parse_port("0", zero=True) == 0
    assert parse_ip("nowhere") is None
    check_host_name("gw.office.example")
    with pytest.raises(AddressError):
        check_host_name("-o")


@pytest.mark.parametrize("text", ["fe80::1%$(reboot)", "fe80::1%a b", "fe80::1%\x1b[2J", "fe80::1%a;b", "::1%`id`"])
def test_a_scope_id_is_an_interface_and_nothing_else(text: str) -> None:
    assert parse_ip(text) is None
    with pytest.raises(AddressError):
        parse_address(f"[{text}]:22")
    with pytest.raises(AddressError):
        check_host_name(text)
