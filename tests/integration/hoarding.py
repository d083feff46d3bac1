#!/usr/bin/env python3
"""A client that takes all it can get loses its connection, not the broker its descriptors or its life.

Runs beside a private daemon (tools/private_pes run).
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402
from processes import descendants  # noqa: E402
from raw_client import ASK, RELEASE, RESERVE, RawClient, number, octets  # noqa: E402

SUBJECT_PATH = 204
HOARDED_MAX = 2000


def n_broker_fds():
    try:
        return len(os.listdir(f"/proc/{descendants('pes-broker')[0]}/fd"))
    except PermissionError:
        return tap.skip("only root may look at the broker's descriptors")


def test_unread_memory_is_charged():
    """whoever asks for memory without ever reading loses the connection before the broker its descriptors"""
    n_before = n_broker_fds()
    n_most = n_before
    was_closed = False
    with RawClient() as client, RawClient() as other:
        client.hello()
        other.hello()
        for content_id in range(1, 20001):
            try:
                client.send(RESERVE, number(1, content_id) + number(2, 1))
                client.send(RELEASE, number(1, content_id))
            except (BrokenPipeError, ConnectionResetError):
                was_closed = True
                break
            if content_id % 50 == 0:
                n_most = max(n_most, n_broker_fds())
        assert was_closed, n_most
        assert n_most < n_before + HOARDED_MAX, (n_before, n_most)
        other.ask(b"somebody else's question")
        other.answer()


def test_a_full_message_ends_nothing():
    """a question as large as a message is answered, and the broker lives"""
    pid = descendants("pes-broker")[0]
    item = octets(12, number(1, SUBJECT_PATH) + octets(2, b"x" * 4000))
    with RawClient() as client:
        client.hello()
        body = client.ask_body(b"y" * 32768) + item * 8
        body += octets(12, number(1, SUBJECT_PATH) + octets(2, b"x" * (65536 - len(body) - 20)))
        client.send(ASK, body)
        assert client.answer()[2], "an error"
        client.ask(b"still served")
        client.answer()
    assert descendants("pes-broker")[0] == pid


if __name__ == "__main__":
    tap.run(globals())
