"""A machine of values: files, environment, addresses and commands that a test decides."""

from __future__ import annotations

import fnmatch
from ipaddress import ip_address

from orchestra.loading.sshconfig import Context, Library, Source, resolve
from orchestra.loading.sshconfig.choosing import choose
from orchestra.loading.sshconfig.files import Text

USER, SYSTEM = "/home/ann/.ssh/config", "/etc/ssh/ssh_config"
STANDARD = (Source(path=USER, checked=True), Source(path=SYSTEM, users=False))


def library(files: dict[str, str | Text]) -> Library:
    """The files as if they were on disk."""
    return Library(read=lambda name: text if isinstance(text := files.get(name, Text()), Text) else Text(text=text))


def context(files=None, *, execute=None, addresses=(), **environ) -> Context:
    names = sorted(files or {})
    return Context(
        home="/home/ann",
        user="ann",
        uid=1000,
        hostname="laptop.example",
        environ=environ,
        glob=lambda pattern: [name for name in names if fnmatch.fnmatch(name, pattern)],
        addresses=lambda: [ip_address(each) for each in addresses],
        execute=execute,
    )


def _files(text):
    return text if isinstance(text, dict) else {USER: text}


def chosen(text, host="gw", given=None, **ground):
    """What holds for a host; ``text`` is the user's file, or files by name."""
    files = _files(text)
    return choose(STANDARD, library(files), host, context(files, **ground), given)


def resolved(text, host="gw", given=None, **ground):
    files = _files(text)
    return resolve(STANDARD, library(files), host, context(files, **ground), given)


def codes(remarks) -> list[str]:
    return [f"{remark.code}:{remark.place.line if remark.place else '-'}" for remark in remarks]
