"""Addresses against one another."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from tests.loading.words import read, said


def test_one_machine_with_two_accounts() -> None:
    both = "{networks: {n: 10.0.0.1}, ssh: {user: %s}}"
    text = f"networks: {{n: }}\nservers: {{a: {both}, b: {both % 'b'}}}\n"
    assert said(read(text % "a")) == []
    assert said(read(text % "b")) == ["2:75 DUPLICATE_ADDRESS"]


TWO = "networks: {lan: 10.1.0.0/24, net: , dual: [10.2.0.0/24, 'fd00::/64']}\n"


@pytest.mark.parametrize(
    ("hosts", "code", "message", "suggestion"),
    [
        (
            "clients: {a: {networks: {lan: 10.2.0.5}}}",
            Code.ADDRESS_OUTSIDE_NETWORK,
            "10.2.0.5 is outside the network 'lan'",
            "lan is 10.1.0.0/24",
        ),
        (
            "clients: {a: {networks: {net: 10.1.0.5}}}",
            Code.ADDRESS_OUTSIDE_NETWORK,
            "10.1.0.5 belongs to the network 'lan', not to 'net'",
            "net has every address that no other network contains",
        ),
        (
            "clients: {a: {networks: {dual: 'fd01::1'}}}",
            Code.ADDRESS_OUTSIDE_NETWORK,
            "fd01::1 is outside the network 'dual'",
            "dual is 10.2.0.0/24, fd00::/64",
        ),
        (
            "clients: {a: {networks: {lan: [10.1.0.5, 10.1.0.5]}}}",
            Code.DUPLICATE_ADDRESS,
            "10.1.0.5 stands here twice",
            "remove one of them",
        ),
        (
            "servers: {a: {networks: {lan: 10.1.0.5}}}\ntargets: {t: {networks: {lan: 10.1.0.5}, address: 80}}",
            Code.DUPLICATE_ADDRESS,
            "10.1.0.5 on 'lan' is a's already (<stdin>:2:11)",
            "if t runs on a, write `host: a` in place of its networks",
        ),
        (
            "clients: {a: {networks: {lan: 10.1.0.5}}, b: {networks: {lan: 10.1.0.5}}}",
            Code.DUPLICATE_ADDRESS,
            "10.1.0.5 on 'lan' is a's already (<stdin>:2:11)",
            "an address belongs to one host",
        ),
    ],
)
def test_what_is_said_of_an_address(hosts: str, code: Code, message: str, suggestion: str) -> None:
    [problem] = read(f"{TWO}{hosts}\n").diagnostics
    assert (problem.code, problem.message, problem.suggestion) == (code, message, suggestion)


def test_one_address_at_two_sites_is_no_duplicate() -> None:
    sites = "networks: {a: 192.168.1.0/24, b: 192.168.1.0/24}\n"
    assert said(read(sites + "clients: {x: {networks: {a: 192.168.1.5}}, y: {networks: {b: 192.168.1.5}}}\n")) == []
