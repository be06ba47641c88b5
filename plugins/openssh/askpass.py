"""What ssh runs to ask a question (SSH_ASKPASS in ssh(1)): hands it to the orchestra that runs this ssh.

``python askpass.py SOCKET QUESTION``, on its own, with nothing but the standard library.
"""

from __future__ import annotations

import os
import socket
import sys


def main(where: str, question: str) -> int:
    """Prints the answer; 1 when there is none."""
    hint = os.environ.get("SSH_ASKPASS_PROMPT", "")
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(where)
        asking.sendall(f"{hint}\n{question}".encode("utf-8", "surrogateescape"))
        asking.shutdown(socket.SHUT_WR)
        with asking.makefile("rb") as reading:
            answer = reading.read()
    sys.stdout.buffer.write(answer[1:] + b"\n")
    return 0 if answer.startswith(b"+") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
