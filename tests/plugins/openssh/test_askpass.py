"""The program that ssh runs to ask."""

import socket
import threading

import pytest
from orchestra_plugins.openssh.askpass import main


@pytest.mark.parametrize(
    ("answer", "code", "printed"), [(b"+secret", 0, b"secret\n"), (b"-", 1, b"\n"), (b"", 1, b"\n")]
)
def test_what_it_asks_and_what_it_prints(answer, code, printed, tmp_path, capfdbinary, monkeypatch):
    monkeypatch.setenv("SSH_ASKPASS_PROMPT", "confirm")
    path, heard = str(tmp_path / "q"), []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def serve():
            with listening.accept()[0] as one:
                heard.append(one.makefile("rb").read())
                one.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert main(path, "may I?") == code
        thread.join()
    assert heard == [b"confirm\nmay I?"]
    assert capfdbinary.readouterr().out == printed
