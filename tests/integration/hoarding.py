#!/usr/bin/env python3
"""A client that takes all it can get is refused more, and the broker loses neither its descriptors nor its life.

Runs beside a private daemon (tools/private_pes run).
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402
from processes import descendants  # noqa: E402
from raw_client import ASK, REFUSAL, RELEASE, RESERVE, RESERVED, RawClient, number, octets  # noqa: E402

SUBJECT_PATH = 204
UNREAD_MAX = 256


def n_broker_fds():
    try:
        return len(os.listdir(f"/proc/{descendants('pes-broker')[0]}/fd"))
    except PermissionError:
        return tap.skip("only root may look at the broker's descriptors")


def reserve(client, content_id, n_bytes):
    client.send(RESERVE, number(1, content_id) + number(2, n_bytes))


def test_unread_memory_is_charged():
    """whoever asks for memory without ever reading is refused more of it, and others are not"""
    n_before = n_broker_fds()
    n_most = n_before
    with RawClient() as client, RawClient() as other:
        client.hello()
        other.hello()
        for content_id in range(1, 2001):
            reserve(client, content_id, 1)
            client.send(RELEASE, number(1, content_id))
            if content_id % 50 == 0:
                n_most = max(n_most, n_broker_fds())
        other.ask(b"somebody else's question")
        other.answer()
        assert n_most < n_before + UNREAD_MAX + 10, (n_before, n_most)
        kinds = []
        while len(kinds) < 2000:
            kinds.append(client.receive()[0])
        # A relay takes one from the broker and has one in the client's socket.
        assert 0 <= kinds.count(RESERVED) - UNREAD_MAX <= 2 * len(descendants("pes-receiver")), kinds
        assert kinds.count(RESERVED) + kinds.count(REFUSAL) == 2000, kinds
        reserve(client, 2001, 1)
        assert client.receive()[0] == RESERVED


def test_memory_can_be_asked_for_again_and_again():
    """whoever reads what is reserved is never refused, whatever else is still unread"""
    with RawClient() as client:
        client.hello()
        client.ask(b"one answer is always unread")
        for content_id in range(1, 3 * UNREAD_MAX):
            reserve(client, content_id, 1)
            client.ask(b"another")
            kinds = sorted(client.receive()[0] for _ in range(2))
            assert REFUSAL not in kinds, content_id
            client.send(RELEASE, number(1, content_id))


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
    tap.run(globals(), sys.argv[1:])
