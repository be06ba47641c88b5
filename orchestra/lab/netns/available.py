"""Whether this machine can run the lab: found out by trying, in a namespace that is gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from orchestra.lab.netns.link import SEARCH_PATH, namespaces
from orchestra.model.text import clean

_PACKAGES = {"unshare": "util-linux", "ip": "iproute2", "nft": "nftables", "sshd": "openssh-server"}
_TRIAL = """
set -e
ip link add b0 type bridge
ip link add v0 type veth peer name v1
nft add table inet trial
nft add chain inet trial forward '{ type filter hook forward priority 0; policy drop; }'
nft add rule inet trial forward ct state established accept
mount -t tmpfs trial /run
echo 1 > /proc/sys/net/ipv4/ip_forward
"""
_VERSION = re.compile(r"OpenSSH_(\d+)\.(\d+)")


def available() -> str | None:
    """None when the lab can run here, else why not and what to do, for a person."""
    if sys.platform != "linux":
        return "network namespaces need Linux"
    missing = [program for program in _PACKAGES if find_program(program) is None]
    if missing:
        packages = " ".join(_PACKAGES[program] for program in missing)
        return f"{', '.join(missing)} not found: apt-get install {packages}"
    return _try()


def find_program(name: str) -> str | None:
    """Its absolute path, which sshd insists on, or None."""
    return shutil.which(name, path=SEARCH_PATH)


def sshd_version(sshd: str) -> tuple[int, int]:
    """Its version; (0, 0) when it does not say."""
    said = subprocess.run([sshd, "-V"], capture_output=True, text=True, check=False, timeout=10)
    found = _VERSION.search(said.stdout + said.stderr)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _try() -> str | None:
    command = [*namespaces(), "sh", "-c", _TRIAL]
    env = {"PATH": SEARCH_PATH, "LC_ALL": "C"}
    try:
        tried = subprocess.run(command, capture_output=True, check=False, timeout=10, env=env)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no namespace can be made here: {error}"
    if tried.returncode == 0:
        return None
    who = "root here may not" if os.geteuid() == 0 else "not root, and users may not"
    return f"{who} make network namespaces with nftables ({clean(tried.stderr) or tried.returncode})"
