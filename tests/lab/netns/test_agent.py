"""The first process of a lab: what it does outside of namespaces; what it does in them is in the other files here."""

import array
import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from orchestra.lab.netns import agent


def test_a_program_gets_its_text_and_its_output_comes_back():
    assert agent.run(["tr", "a-z", "A-Z"], "office\n") == "OFFICE\n"


def test_a_program_that_fails_is_quoted():
    with pytest.raises(OSError, match="sh -c echo no such device >&2; exit 3 ended with 3: no such device"):
        agent.run(["sh", "-c", "echo no such device >&2; exit 3"], "")


def test_who_listens_is_seen_in_both_protocols():
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        ports = tcp.getsockname()[1], udp.getsockname()[1]
        found = agent.listening()
        assert ("tcp", ports[0]) in found
        assert ("udp", ports[1]) in found
    assert ("tcp", ports[0]) not in agent.listening()


def test_a_request_may_come_in_pieces_and_ends_with_its_connection():
    body = json.dumps({"do": "exited"}).encode()
    request = len(body).to_bytes(4, "big") + body
    ours, theirs = socket.socketpair()

    def send():
        for byte in request:
            ours.send(bytes([byte]))
        ours.send(request[:-1])
        ours.close()

    with theirs:
        sender = threading.Thread(target=send)
        sender.start()
        assert agent.receive(theirs) == {"do": "exited"}
        assert agent.receive(theirs) is None
        sender.join()


def test_a_socket_is_answered_as_a_descriptor():
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.create_server(("127.0.0.1", 0)) as made:
        agent.answer(theirs, made)
        data, extra, _, _ = ours.recvmsg(4096, socket.CMSG_SPACE(4))
        assert json.loads(data[4:]) == {"ok": None}
        with socket.socket(fileno=array.array("i", extra[0][2])[0]) as received:
            assert received.getsockname() == made.getsockname()


def test_it_answers_until_its_control_socket_ends():
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-I", "-S", agent.__file__, str(theirs.fileno())]
    with ours, subprocess.Popen(command, pass_fds=(theirs.fileno(),)) as process:
        theirs.close()
        assert agent.receive(ours) == {"ok": "ready"}
        for request, answer in (
            ({"do": "exited"}, {"ok": {}}),
            ({"do": "fly"}, {"error": "AttributeError: 'Agent' object has no attribute 'do_fly'"}),
            ({"do": "output", "machine": "nobody", "argv": []}, {"error": "KeyError: 'nobody'"}),
        ):
            body = json.dumps(request).encode()
            ours.sendall(len(body).to_bytes(4, "big") + body)
            assert agent.receive(ours) == answer
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(10) == os.EX_OK
