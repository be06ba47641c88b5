"""The first process of a lab, and the only one outside the lab's hosts: it makes namespaces, sockets and processes.

A script of its own, run with ``python -I -S`` as process 1 of the lab's PID, network and mount namespaces; it imports
nothing of orchestra. When it ends the kernel ends everything in the lab; it ends when its control socket does, that is
when the lab is closed or the process that opened it dies, however that happens.

Control: length (4 bytes, big-endian) and a JSON object each way; descriptors ride along (SCM_RIGHTS). A request
``{"do": NAME, …}`` is answered by ``{"ok": RESULT}`` or ``{"error": TEXT}``, one at a time.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWUSER = 0x00020000, 0x40000000, 0x20000000, 0x10000000
MS_BIND = 4096
LISTENING = {"tcp": ("tcp", "0A"), "udp": ("udp", "07")}
"""Protocol to the file of /proc/net and the state of a socket that takes what arrives."""

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> None:
    """A function of the C library that returns 0; raises OSError."""
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0) -> None:
    """mount(2)."""
    call("mount", source.encode(), target.encode(), kind.encode() if kind else None, flags, None)


class Inside:
    """In another network namespace, for the length of a ``with``."""

    def __init__(self, home: int, namespace: int) -> None:
        self.home, self.namespace = home, namespace

    def __enter__(self) -> None:
        call("setns", self.namespace, CLONE_NEWNET)

    def __exit__(self, *_: object) -> None:
        call("setns", self.home, CLONE_NEWNET)


class Agent:
    """Knows the namespaces by the names of the machines, and the processes by number."""

    def __init__(self) -> None:
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self.namespaces: dict[str, int] = {}
        self.exited: dict[int, int] = {}

    def do_prepare(self, files: dict[str, str], directory: str) -> None:
        """A private /run with the lab's directory in it, and private versions of a few files of the machine."""
        mount("orchestra", "/run", "tmpfs")
        for path in ("/run/sshd", "/run/netns", directory):
            Path(path).mkdir()
        for number, (path, text) in enumerate(files.items()):
            if Path(path).exists():
                private = Path(directory, f"etc{number}")
                private.write_text(text)
                private.chmod(0o644)
                mount(str(private), path, None, MS_BIND)

    def do_machines(self, machines: list[dict[str, str]], switch: str) -> None:
        """Namespaces, then wires between them and the bridges, then what each machine has of its own."""
        for machine in machines:
            call("unshare", CLONE_NEWNET)
            try:
                self.namespaces[machine["name"]] = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
                named = "/run/netns/" + machine["id"]
                Path(named).touch()
                mount("/proc/self/ns/net", named, None, MS_BIND)
                settings(machine["sysctl"])
            finally:
                call("setns", self.home, CLONE_NEWNET)
            hosts = Path(machine["hosts"])
            hosts.write_text(machine["hosts_text"])
            hosts.chmod(0o644)
        run(["ip", "-batch", "-"], switch)
        for machine in machines:
            with Inside(self.home, self.namespaces[machine["name"]]):
                settings(machine["interface_sysctl"])
                run(["ip", "-4", "-batch", "-"], machine["ip4"])
                run(["ip", "-6", "-batch", "-"], machine["ip6"])
                if machine["nft"]:
                    run(["nft", "-f", "-"], machine["nft"])

    def do_sysctl(self, values: str) -> None:
        settings(values)

    def do_socket(self, machine: str, family: int, kind: int) -> socket.socket:
        with Inside(self.home, self.namespaces[machine]):
            return socket.socket(family, kind)

    def do_start(
        self, machine: str, argv: list[str], log: str, binds: list[list[str]], account: list[int] | None = None
    ) -> int:
        """Runs a program as process 1 of a PID namespace of its own, so that its end is the end of its children.

        ``binds`` are directories or files to see in the place of others; ``account`` a user and a group to be.
        """
        call("unshare", CLONE_NEWPID)
        try:
            pid = os.fork()
            if pid == 0:
                self._become(machine, argv, log, binds, account)
        finally:
            call("setns", self.pids, CLONE_NEWPID)
        return pid

    def _become(
        self, machine: str, argv: list[str], log: str, binds: list[list[str]], account: list[int] | None
    ) -> None:
        try:
            os.setsid()
            call("setns", self.namespaces[machine], CLONE_NEWNET)
            call("unshare", CLONE_NEWNS)
            for source, target in binds:
                Path(source).mkdir(exist_ok=True) if not Path(source).exists() else None
                mount(source, target, None, MS_BIND)
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            if account:
                call("unshare", CLONE_NEWUSER)
                Path("/proc/self/setgroups").write_text("deny")
                Path("/proc/self/uid_map").write_text(f"{account[0]} 0 1")
                Path("/proc/self/gid_map").write_text(f"{account[1]} 0 1")
            execute(argv, os.open("/dev/null", os.O_RDONLY), out)
        except OSError as error:
            os.write(2, f"{argv[0]} in {machine}: {error}\n".encode())
        finally:
            os._exit(127)

    def do_stop(self, pid: int) -> None:
        """Kills a program and all that it started, and waits for the end."""
        if pid not in self.exited:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self.exited[pid] = -signal.SIGKILL

    def do_missing(self, sockets: list[list[object]]) -> list[int]:
        """Which of ``[machine, protocol, port]`` nobody listens on yet, by index."""
        held: dict[object, set[tuple[str, int]]] = {}
        for machine, _, _ in sockets:
            if machine not in held:
                with Inside(self.home, self.namespaces[str(machine)]):
                    held[machine] = set(listening())
        return [
            index for index, (machine, protocol, port) in enumerate(sockets) if (protocol, port) not in held[machine]
        ]

    def do_exited(self) -> dict[str, int]:
        """The programs that have ended, with their exit codes."""
        self.reap()
        return {str(pid): code for pid, code in self.exited.items()}

    def do_output(self, machine: str, argv: list[str]) -> str:
        """What a program prints that runs in a machine."""
        with Inside(self.home, self.namespaces[machine]):
            return run(argv, "")

    def reap(self) -> None:
        """Collects what has ended, also orphans, whose parent process 1 is."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self.exited[found[0]] = os.waitstatus_to_exitcode(found[1])
        except ChildProcessError:
            pass


def listening() -> list[tuple[str, int]]:
    """(protocol, port) of the sockets of the current namespace that take connections or datagrams."""
    found = []
    for protocol, (name, state) in LISTENING.items():
        for suffix in ("", "6"):
            table = Path(f"/proc/self/net/{name}{suffix}")
            rows = [line.split() for line in table.read_text("ascii").splitlines()[1:]] if table.exists() else []
            found += [(protocol, int(row[1].rpartition(":")[2], 16)) for row in rows if row[3] == state]
    return found


def settings(values: str) -> None:
    """Lines ``path=value`` below /proc/sys/net; what this kernel lacks is left out."""
    for line in values.splitlines():
        path, _, value = line.partition("=")
        setting = Path("/proc/sys/net", path)
        if setting.exists():
            setting.write_text(value)


def execute(argv: list[str], given: int, taken: int) -> None:
    """Becomes a program, with its input and both outputs; raises OSError."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for source, target in ((given, 0), (taken, 1), (taken, 2)):
        os.dup2(source, target)
    os.execvp(argv[0], argv)  # noqa: S606 - without a shell is how it is meant


def run(argv: list[str], text: str) -> str:
    """Runs a program with a text as its input, in the current namespaces; its output, or OSError with what it said."""
    given, taken = os.memfd_create("input"), os.memfd_create("output")
    try:
        os.write(given, text.encode())
        os.lseek(given, 0, os.SEEK_SET)
        pid = os.fork()
        if pid == 0:
            try:
                execute(argv, given, taken)
            finally:
                os._exit(127)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        output = os.pread(taken, os.fstat(taken).st_size, 0).decode("utf-8", "replace")
    finally:
        os.close(given)
        os.close(taken)
    if code:
        raise OSError(f"{' '.join(argv)} ended with {code}: {output.strip()}")
    return output


def receive(control: socket.socket) -> dict[str, object] | None:
    """The next request; None at the end."""
    size = read_exactly(control, 4)
    body = read_exactly(control, int.from_bytes(size, "big")) if size else None
    return json.loads(body) if body else None


def read_exactly(control: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        chunk = control.recv(size - len(data))
        if not chunk:
            return None
        data += chunk
    return bytes(data)


def answer(control: socket.socket, result: object) -> None:
    """Sends a result; a socket goes as a descriptor."""
    extra = []
    if isinstance(result, socket.socket):
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [result.fileno()]))]
    body = json.dumps(result if isinstance(result, dict) and "error" in result else {"ok": None if extra else result})
    data = len(body).to_bytes(4, "big") + body.encode()
    sent = control.sendmsg([data], extra)
    control.sendall(data[sent:])


def main(fd: int) -> None:
    os.umask(0o077)
    control = socket.socket(fileno=fd)
    control.set_inheritable(False)
    agent = Agent()
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(woken, select.POLLIN)
    answer(control, "ready")
    while True:
        events = dict(poll.poll())
        if woken in events:
            os.read(woken, 4096)
            agent.reap()
        if fd in events:
            request = receive(control)
            if request is None:
                return
            try:
                result = getattr(agent, "do_" + str(request.pop("do")))(**request)
            except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
                result = {"error": f"{type(error).__name__}: {error}"}
            answer(control, result)
            if isinstance(result, socket.socket):
                result.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
