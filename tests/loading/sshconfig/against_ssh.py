"""The system's own ssh as the judge: `ssh -G` beside our resolution of the same files.

A longer run than the tests': ``make ssh-config ROUNDS=2000 SEED=1``.
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from orchestra.engine.ssh.algorithms import assemble
from orchestra.loading.sshconfig import Library, Source, this_machine
from orchestra.loading.sshconfig.choosing import Context, choose
from orchestra.loading.sshconfig.resolving import resolve
from orchestra.loading.sshconfig.tokens import tilde

SSH = shutil.which("ssh")
needs_ssh = pytest.mark.skipif(SSH is None, reason="there is no ssh")
HOME = pwd.getpwuid(os.getuid()).pw_dir
"""ssh goes by the account, not by the environment."""

FLAGS = {
    "batchmode": False,
    "hashknownhosts": False,
    "identitiesonly": False,
    "kbdinteractiveauthentication": True,
    "passwordauthentication": True,
    "pubkeyauthentication": True,
    "nohostauthenticationforlocalhost": False,
    "hostbasedauthentication": False,
    "permitlocalcommand": False,
}
NUMBERS = {"numberofpasswordprompts": 3, "serveralivecountmax": 3, "serveraliveinterval": 0, "requiredrsasize": 1024}
WORDS = ("bindaddress", "bindinterface", "hostkeyalias", "ignoreunknown", "preferredauthentications", "pkcs11provider")
COMMANDS = ("knownhostscommand", "revokedhostkeys")
LISTS = {
    "ciphers": "cipher",
    "macs": "mac",
    "kexalgorithms": "kex",
    "hostkeyalgorithms": "HostKeyAlgorithms",
    "pubkeyacceptedalgorithms": "PubkeyAcceptedAlgorithms",
    "casignaturealgorithms": "sig",
}
STRICTER = ("is not a host name", "to itself")
"""We refuse names that only a resolver would refuse, and what would go on for ever."""
STRICT = {None: "ask", "strict": "true", "off": "false", "ask": "ask", "accept-new": "accept-new"}


def context(environ=None) -> Context:
    return this_machine({**os.environ, **(environ or {}), "HOME": HOME}, allow_exec=True)


def by_ssh(file: Path, host: str, environ=None) -> dict[str, list[str]] | str:
    """Keyword to its lines, in ssh's own words; or what ssh complains of."""
    command = [SSH, "-G", "-F", str(file), host]
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        text=True,
        errors="surrogateescape",
        env={**os.environ, **(environ or {})},
    )
    if done.returncode:
        return done.stderr
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword, []).append(value)
    return found


@cache
def defaults() -> dict[str, list[str]]:
    found = by_ssh(Path(os.devnull), "nowhere.example")
    assert isinstance(found, dict)
    return found


@cache
def known(kind: str) -> tuple[str, ...]:
    return tuple(subprocess.run([SSH, "-Q", kind], capture_output=True, check=True, text=True).stdout.split())


def by_us(file: Path, host: str, environ=None) -> dict[str, list[str]] | str:
    """The same keywords from our resolution, in ssh's words."""
    sources, ground = (Source(path=str(file), required=True),), context(environ)
    choice, found = choose(sources, Library(), host, ground), resolve(sources, Library(), host, ground)
    if choice.refusals:
        return "; ".join(f"{each.place}: {each.message}" for each in choice.refusals)
    invalid = [each for each in found.refusals if each.code == "SSH_CONFIG_INVALID"]
    if invalid:
        return "; ".join(each.message for each in invalid)
    value, settings, config = choice.value, found.settings, found.settings.config
    said: dict[str, list[str]] = {
        "hostname": [choice.host],
        "user": [value("user", ground.user)],
        "port": [str(value("port", 22))],
        "addressfamily": [{"ipv4": "inet", "ipv6": "inet6"}.get(value("addressfamily"), "any")],
        "stricthostkeychecking": [STRICT[value("stricthostkeychecking")]],
        "connecttimeout": [str(value("connecttimeout", "none"))],
        "canonicalizehostname": [{"yes": "true", "no": "false"}.get(mode := value("canonicalizehostname", "no"), mode)],
        "identityfile": [each.value for each in choice.added.get("identityfile", [])] or defaults()["identityfile"],
        "certificatefile": [each.value for each in choice.added.get("certificatefile", [])],
        "verifyhostkeydns": [{"yes": "true", "no": "false", "ask": "ask"}[value("verifyhostkeydns", "no")]],
        "globalknownhostsfile": _files(config.global_known_hosts, defaults()["globalknownhostsfile"]),
        "userknownhostsfile": _files(config.user_known_hosts, defaults()["userknownhostsfile"]),
        "identityagent": _agent(choice, settings),
    }
    for flag, usual in FLAGS.items():
        said[flag] = ["yes" if value(flag, usual) else "no"]
    said["pubkeyauthentication"] = ["true" if value("pubkeyauthentication", True) else "false"]
    for number, usual in NUMBERS.items():
        said[number] = [str(value(number, usual))]
    if value("batchmode") and value("serveraliveinterval") is None:  # Debian's own
        said["serveraliveinterval"] = by_ssh(batch_mode(file), host)["serveraliveinterval"]
    for word in WORDS:
        said[word] = [value(word)] if value(word) is not None else []
    said["hostkeyalias"] = [each.lower() for each in said["hostkeyalias"]]
    said["pkcs11provider"] = [each for each in said["pkcs11provider"] if each.lower() != "none"]
    for command in COMMANDS:
        said[command] = [value(command)] if value(command, "none").lower() != "none" else []
    for keyword, kind in LISTS.items():
        names = assemble(value(keyword), defaults()[keyword][0].split(","), known(kind))
        said[keyword] = [",".join(names)]
    jumps, proxy = value("proxyjump", ()), value("proxycommand", "none")
    said["proxyjump"] = [_jump_text(jumps)] if jumps else []
    said["proxycommand"] = [proxy] if proxy.lower() != "none" and not jumps else []
    return said


def batch_mode(file: Path) -> Path:
    """A configuration that says nothing else."""
    alone = file.with_name("batch_mode")
    alone.write_text("BatchMode yes\n")
    return alone


def _files(paths, usual):
    return usual if paths is None else [" ".join(paths) or "none"]


def _agent(choice, settings):
    raw = choice.value("identityagent")
    if raw is None:
        return []
    if raw == "SSH_AUTH_SOCK" or raw.lower() == "none" or (raw.startswith("$") and not raw.startswith("${")):
        return [raw]
    return [settings.agent or tilde(raw, HOME)]


def _jump_text(jumps) -> str:
    *extra, last = jumps
    numeric = ":" in last.host or not last.host.strip("1234567890.")
    host = f"[{last.host}]" if numeric else last.host
    text = f"{f'{last.user}@' if last.user else ''}{host}{f':{last.port}' if last.port else ''}"
    return ",".join([*map(str, extra), text])


def differences(file: Path, host: str, environ=None) -> dict[str, tuple[object, object]]:
    """Keyword to (ssh's word, ours), where they differ; ``refused`` when one refuses what the other takes."""
    theirs, ours = by_ssh(file, host, environ), by_us(file, host, environ)
    if isinstance(ours, str) and any(text in ours for text in STRICTER):
        return {}
    if isinstance(theirs, str) or isinstance(ours, str):
        return {} if isinstance(theirs, str) and isinstance(ours, str) else {"refused": (theirs, ours)}
    return {
        keyword: (theirs.get(keyword, []), value) for keyword, value in ours.items() if theirs.get(keyword, []) != value
    }


# -- random configurations

HOSTS = ("gw", "web1.example.com", "DB", "10.0.0.7", "a.b.c", "::1", "jump")
PATTERNS = (
    "*",
    "gw",
    "web*",
    "*.example.com",
    "!gw",
    "d?",
    "DB",
    "10.0.0.*",
    "a.*.c",
    "!*.com",
    "nobody",
    "jump",
    "real-*",
)
VALUES = {
    "HostName": ("real-%h", "%h.example.com", "10.0.0.7", "REAL.example", "::1"),
    "Port": ("22", "2222", "65535"),
    "User": ("ops", "Alice", '"quoted"', "root"),
    "IdentityFile": ("~/.ssh/id_%h", "/keys/%r", "none", '"/with blank/key"', "~/.ssh/id_a", "${E_DIR}/k"),
    "CertificateFile": ("~/.ssh/cert_%n", "/c"),
    "IdentitiesOnly": ("yes", "no", "true", "NO"),
    "IdentityAgent": ("none", "SSH_AUTH_SOCK", "$E_SOCK", "~/agent.sock", "/run/%u/%i/agent", "${E_DIR}/agent"),
    "HostKeyAlias": ("alias", "Al-%h"),
    "UserKnownHostsFile": ("none", "~/kh", "~/kh /other/%k/kh", "/kh_%n_%p_%r_%u"),
    "GlobalKnownHostsFile": ("none", "/g", "/g /h"),
    "StrictHostKeyChecking": ("yes", "no", "ask", "accept-new", "off", "true"),
    "ServerAliveInterval": ("0", "15", "1m", "1h30m"),
    "ServerAliveCountMax": ("0", "3", "7"),
    "ConnectTimeout": ("5", "none", "2m", "0"),
    "AddressFamily": ("inet", "inet6", "any"),
    "BindAddress": ("192.0.2.1",),
    "Ciphers": ("aes128-ctr", "+3des-cbc", "-chacha*", "^aes256-ctr,aes128-ctr", "aes256-ctr"),
    "MACs": ("-*etm*", "hmac-sha2-256,hmac-sha2-512", "+hmac-md5"),
    "KexAlgorithms": ("^ecdh-sha2-nistp256", "-*sntrup*", "curve25519-sha256"),
    "HostKeyAlgorithms": ("ssh-ed25519", "-ssh-rsa*", "^rsa-sha2-512", "+ssh-rsa"),
    "PubkeyAcceptedAlgorithms": ("-rsa*", "ssh-ed25519,ecdsa*", "+ssh-rsa"),
    "CASignatureAlgorithms": ("-ecdsa*", "ssh-ed25519", "+ssh-rsa"),
    "PreferredAuthentications": ("publickey", "password,publickey"),
    "PubkeyAuthentication": ("yes", "no"),
    "PasswordAuthentication": ("no", "yes"),
    "KbdInteractiveAuthentication": ("no", "yes"),
    "ChallengeResponseAuthentication": ("no",),
    "NumberOfPasswordPrompts": ("1", "5"),
    "HashKnownHosts": ("yes", "no"),
    "RequiredRSASize": ("2048", "3072"),
    "ProxyJump": ("jump", "alice@jump:2222", "a,b@c:22,jump", "none", "ssh://u@h:2022", "[::1]:22"),
    "ProxyCommand": ("none", "ssh -W %h:%p jump", "nc %h %p"),
    "RevokedHostKeys": ("/etc/revoked", "none"),
    "KnownHostsCommand": ("/bin/echo %H", "none"),
    "SendEnv": ("LANG LC_*",),
    "ForwardAgent": ("yes",),
    "LocalForward": ("8080 web:80",),
    "IgnoreUnknown": ("Foo*,Bar",),
    "BatchMode": ("yes", "no"),
    "Compression": ("yes",),
    "ControlMaster": ("auto",),
    "VerifyHostKeyDNS": ("yes", "ask"),
    "CanonicalizeHostname": ("no",),
    "LogLevel": ("INFO",),
}
CRITERIA = (
    "all",
    "host gw",
    "host web*,!web1.*",
    "host real-*",
    "!host gw",
    "originalhost gw,DB",
    "user ops",
    "!user root",
    "localuser root",
    "final",
    "canonical",
    "host *.example.com final",
    'exec "true"',
    'exec "false"',
    '!exec "test %h = gw"',
    'exec "test %n = gw" user *',
    "final host real-*",
    "originalhost db",
)
SEPARATORS = (" ", "=", " = ", "\t", "  ")
ENVIRON = {"E_DIR": "/from/env", "E_SOCK": "/from/env.sock"}


def random_config(chance: random.Random, folder: Path, depth: int = 0) -> str:
    """Lines as people write them, and as they should not."""
    lines = []
    for _ in range(chance.randint(1, 14)):
        kind = chance.random()
        indent = chance.choice(("", "  ", "\t"))
        if kind < 0.22:
            lines.append(f"{indent}Host {' '.join(chance.sample(PATTERNS, chance.randint(1, 3)))}")
        elif kind < 0.38:
            lines.append(f"{indent}Match {chance.choice(CRITERIA)}")
        elif kind < 0.43 and depth < 3:
            name = folder / f"part{depth}{chance.randrange(1000)}.conf"
            name.write_text(random_config(chance, folder, depth + 1))
            name.chmod(0o600)
            lines.append(f"{indent}Include {chance.choice((str(name), f'{folder}/part{depth}*.conf', '/nowhere/*'))}")
        elif kind < 0.46:
            lines.append(chance.choice(("", "# comment", "   ", "Foo bar", "Bar 1 # 2")))
        else:
            keyword = chance.choice(tuple(VALUES))
            name = chance.choice((keyword, keyword.lower(), keyword.upper()))
            tail = chance.choice(("", "", "", " ", "\r", "" if keyword == "ProxyJump" else " # said"))
            lines.append(f"{indent}{name}{chance.choice(SEPARATORS)}{chance.choice(VALUES[keyword])}{tail}")
    return "\n".join(lines) + "\n"


def compare_many(count: int, seed: int, folder: Path) -> list[str]:
    """What differs in that many random configurations; each is a report that can be read."""
    found = []
    for number in range(count):
        chance = random.Random(seed * 1_000_003 + number)  # noqa: S311
        place = folder / str(number)
        place.mkdir()
        file = place / "config"
        file.write_text(random_config(chance, place))
        found += [
            f"{number} {host}: {differ}\n{file.read_text()}"
            for host in chance.sample(HOSTS, 2)
            if (differ := differences(file, host, ENVIRON))
        ]
    return found


def main() -> int:
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        found = compare_many(count, seed, Path(folder))
    print("\n".join(found[:10]), f"{len(found)} differences in {count} configurations", sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
