"""What is said of keywords that are not honoured, and when that means not to dial."""

import pytest

from tests.loading.sshconfig.ground import codes, resolved


@pytest.mark.parametrize(
    "text",
    [
        "SendEnv LANG\nHashKnownHosts yes\nGSSAPIAuthentication yes",
        "ForwardAgent yes\nLocalForward 1 a:2\nControlMaster auto\nVisualHostKey yes\nCompression yes",
        "HostbasedAuthentication no\nVerifyHostKeyDNS no\nSecurityKeyProvider internal\nPKCS11Provider none",
        "LocalCommand x",
        "CanonicalizeHostname yes",
        "CanonicalizeHostname yes\nCanonicalDomains a.example\nHostName x.y.z",
        "CanonicalizeHostname yes\nCanonicalDomains a.example\nHostName 10.0.0.1",
        "CanonicalizeHostname yes\nCanonicalDomains a.example\nProxyJump x",
        "ProxyCommand none",
        "CanonicalizePermittedCNAMEs none",
    ],
)
def test_silence(text):
    found = resolved(text)
    assert (found.warnings, found.refusals) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "HostbasedAuthentication yes",
        "StrictHostKeyChecking no",
        "StrictHostKeyChecking off",
        "NoHostAuthenticationForLocalhost yes",
        "VerifyHostKeyDNS yes",
        "PKCS11Provider /lib/x.so",
        "SecurityKeyProvider /lib/x.so",
        "PermitLocalCommand yes\nLocalCommand x",
    ],
)
def test_a_word(text):
    found = resolved(text)
    assert (codes(found.warnings), found.refusals) == (["SSH_CONFIG_IGNORED:1"], ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('RefuseConnection "use gw2"', "use gw2"),
        ("ProxyCommand nc %h %p", "ProxyCommand nc %h %p"),
        ("ProxyCommand ssh -W %h:%p -F other gw", "ProxyCommand"),
        ("BindInterface eth0", "eth0"),
        ("PKCS11Provider /lib/x.so\nIdentitiesOnly yes", "token"),
        ("CanonicalizeHostname yes\nCanonicalDomains a.example", "DNS"),
        ("CanonicalizeHostname always\nCanonicalDomains a.example\nProxyJump x", "DNS"),
        ("CanonicalizePermittedCNAMEs *:*", "DNS"),
    ],
)
def test_a_refusal(text, said):
    [found] = resolved(text).refusals
    assert (found.code, found.place.line) == ("SSH_CONFIG_REFUSED", 1)
    assert said in found.message
    assert found.suggestion


@pytest.mark.parametrize("text", ["HostName a;b", "ProxyJump gw", "HostName -x"])
def test_what_ssh_would_not_do_either(text):
    assert codes(resolved(text).refusals) == ["SSH_CONFIG_INVALID:1"]
