"""What a topology may say of the transport, and where its mistakes are told."""

import pytest

from orchestra.assembly.topology import load_topology, plugins


def loaded(tmp_path, transport):
    file = tmp_path / "office.yaml"
    file.write_text(f"servers:\n  gw: {{ssh: gw.example, transport: {transport}}}\ntargets: {{db: 'db:5432'}}\n")
    return load_topology([str(file)], plugins(), {})


@pytest.mark.parametrize("written", ["openssh", "{type: openssh}", "{type: openssh, options: {ciphers: aes128-ctr}}"])
def test_short_and_long(written, tmp_path):
    made = loaded(tmp_path, written)
    assert made.topology, made.diagnostics
    transport = made.topology.hosts["gw"].server.transport
    assert transport.type == "openssh"
    assert transport.options.get("options", {}) in ({}, {"Ciphers": "aes128-ctr"})


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{type: openssh, options: {ProxyCommand: evil}}", "ProxyCommand is not for a topology"),
        ("{type: openssh, options: {LocalCommand: evil}}", "LocalCommand is not for a topology"),
        ("{type: openssh, options: {PKCS11Provider: /evil.so}}", "PKCS11Provider is not for a topology"),
        ("{type: openssh, options: {KnownHostsCommand: evil}}", "KnownHostsCommand is not for a topology"),
        ("{type: openssh, options: {StrictHostKeyChecking: 'no'}}", "StrictHostKeyChecking is not for a topology"),
        ('{type: openssh, options: {Ciphers: "a\\nProxyCommand evil"}}', "must be the value of a keyword"),
        ("{type: openssh, program: /tmp/ssh}", "program"),
        ("opensh", "openssh"),
    ],
)
def test_what_would_run_a_program_is_refused_at_its_place(written, said, tmp_path):
    made = loaded(tmp_path, written)
    assert made.topology is None
    (problem, *_) = made.diagnostics
    assert said in f"{problem.message} {problem.suggestion}"
    assert problem.place.line == 2
