#!/usr/bin/env python3
"""Streams that are not what they should be, over the live socket: each is refused for what is wrong with it, the
broker lives, keeps nothing of it, and serves somebody else.

Runs beside a private daemon (tools/private_pes run), once as the kernel is and once with the receiver forced.
"""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import raw_client as raw  # noqa: E402
import tap  # noqa: E402
from processes import descendants  # noqa: E402

SEGMENT, QUERY, SERVICE = 15, 12, 13
E_INVALID_ARGUMENT, E_QUOTA, E_CANCELLED, E_PROTOCOL = 1, 7, 10, 18
NOT_DETECTED, TEST_SAMPLE = 2, 13
FULL, TOO_LARGE, NOT_EXAMINED = 1, 6, 12
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
HELD_FIELDS = {"connections": 5, "in_flight": 6, "content_bytes": 7}
NOTHING = {"connections": 0, "in_flight": 0, "content_bytes": 0, "memories": 0}
MAX_CONTENT_BYTES = 100 << 20
SETTLE_S = 20


class Streamer(raw.RawClient):
    """A client that does each step of a stream by hand."""

    def hello(self):
        self.send(raw.HELLO, raw.number(1, 1) + raw.number(2, 1) + raw.octets(3, b"raw") + raw.number(5, self.can))
        kind, fields = self.receive()
        assert kind == raw.WELCOME, kind
        (self.segment_bytes,) = fields[9]
        self.last_content_id = 0
        return self

    def ask_with(self, content):
        """Asks about content in another form than inline."""
        self.last_id += 1
        body = raw.number(1, self.last_id) + raw.number(2, raw.KIND_GENERIC) + raw.number(4, 5000000)
        self.send(raw.ASK, body + content)
        return self.last_id

    def begin(self, stream_id=1):
        return self.ask_with(raw.number(14, stream_id))

    def reserve(self, n_bytes):
        """Memory of this length, and its number."""
        self.last_content_id += 1
        self.send(raw.RESERVE, raw.number(1, self.last_content_id) + raw.number(2, n_bytes))
        data, fds, _, _ = socket.recv_fds(self.socket, 65536, 1)
        ((kind, _),) = raw.parse(data).items()
        assert kind == raw.RESERVED and len(fds) == 1, (kind, fds)
        return fds[0], self.last_content_id

    def fill(self, data, seals=SEALS):
        """Lent memory with these bytes; its number."""
        fd, content_id = self.reserve(len(data))
        try:
            assert os.pwrite(fd, data, 0) == len(data)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
        finally:
            os.close(fd)
        return content_id

    def commit(self, content_id, n_bytes, is_last=False, stream_id=1):
        body = raw.number(1, stream_id)
        if content_id:
            body += raw.number(2, content_id) + raw.number(3, n_bytes)
        self.send(SEGMENT, body + (raw.number(4, 1) if is_last else b""))

    def add(self, data, is_last=False, stream_id=1):
        content_id = self.fill(data)
        self.commit(content_id, len(data), is_last, stream_id)
        return content_id

    def add_full(self):
        return self.add(bytes(self.segment_bytes))

    def refused(self, error=E_INVALID_ARGUMENT):
        """The next message is the answer to the one stream, with this error."""
        fields = self.answer()
        assert fields.get(2) == [error], fields
        assert 3 not in fields and fields[4] == [NOT_EXAMINED], fields
        return fields


def broker():
    (pid,) = descendants("pes-broker")
    return pid


def memories(pid):
    """How many pieces of lent memory a broker has open."""
    folder, n = f"/proc/{pid}/fd", 0
    try:
        for fd in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # closed while we look
                n += os.readlink(f"{folder}/{fd}") == "/memfd:pes (deleted)"
    except PermissionError:
        pass  # only root may look; then what it holds is known by its own word alone
    return n


def held():
    """What the broker says that it holds, and what it has open, but for the connection that asks."""
    with raw.RawClient().hello() as client:
        client.send(QUERY, raw.number(1, 1) + raw.number(2, 1))
        kind, fields = client.receive()
        assert kind == SERVICE, kind
        state = {name: fields.get(number, [0])[0] for name, number in HELD_FIELDS.items()}
    return state | {"connections": state["connections"] - 1, "memories": memories(broker())}


def settle(expected):
    """Waits until it holds that much and no more."""
    deadline = time.monotonic() + SETTLE_S
    while (state := held()) != expected:
        assert time.monotonic() < deadline, state


@contextlib.contextmanager
def hostile():
    """A client that may do what it likes; when it is gone nothing of it is left, and somebody else is served."""
    pid = broker()
    settle(NOTHING)
    with raw.RawClient().hello() as other:
        with Streamer().hello() as client:
            yield client
            other.ask(b"an honest question beside it")
            assert other.answer()[3] == [NOT_DETECTED]
        settle(NOTHING | {"connections": 1})
    assert broker() == pid, "the broker was replaced"
    with Streamer().hello() as client:  # and streams still work
        client.begin()
        data = bytes(client.segment_bytes) + b"end"
        client.add(data[:-3])
        client.add(data[-3:], is_last=True)
        fields = client.answer()
        assert 2 not in fields and fields[3] == [NOT_DETECTED] and fields[4] == [FULL], fields
        assert fields[13] == [len(data)] and fields[12] == [hashlib.sha256(data).digest()], fields


def test_unsealed():
    """a segment that could still be written ends the stream"""
    with hostile() as client:
        for seals in (0, fcntl.F_SEAL_WRITE, fcntl.F_SEAL_SEAL):
            stream_id = client.last_id + 1
            client.begin(stream_id)
            client.add(bytes(client.segment_bytes), stream_id=stream_id)
            content_id = client.fill(b"x" * 100, seals)
            client.commit(content_id, 100, is_last=True, stream_id=stream_id)
            client.refused()


def test_hole():
    """a segment with a hole, memory that nobody has paid for, ends the stream"""
    with hostile() as client:
        client.begin()
        fd, content_id = client.reserve(client.segment_bytes)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
        os.close(fd)
        client.commit(content_id, client.segment_bytes)
        client.refused()


def test_short():
    """a segment in the middle that is not full ends the stream, and so does one that is too long"""
    with hostile() as client:
        client.begin(1)
        client.add_full()
        client.add(b"short")
        client.refused()
        client.begin(2)
        client.add(bytes(client.segment_bytes + 1), is_last=True, stream_id=2)
        client.refused()


def test_wrong_length():
    """a segment whose length is said wrongly ends the stream"""
    with hostile() as client:
        client.begin()
        client.commit(client.fill(b"x" * 100), 99, is_last=True)
        client.refused()


def test_after_the_last():
    """what comes after the last segment ends a stream, or, once that is answered, is ignored"""
    with hostile() as client:
        client.begin()
        first, second = client.fill(b"the last one"), client.fill(b"one more")
        client.commit(first, 12, is_last=True)
        client.commit(second, 8, is_last=True)
        fields = client.answer()
        if fields.get(2) != [E_INVALID_ARGUMENT]:
            assert fields[3] == [NOT_DETECTED] and fields[13] == [12], fields
        client.add(b"long after", is_last=True)
        client.ask(b"still served on this connection")
        assert client.answer()[3] == [NOT_DETECTED]


def test_of_another_question():
    """memory that another question uses, or another stream has, is no segment; that one is answered in full"""
    with hostile() as client:
        used = client.fill(b"u" * 5000)
        stream = client.begin(1)
        other = client.ask_with(raw.number(10, used) + raw.number(11, 5000))
        client.commit(used, 5000, is_last=True)
        answers = {fields[1][0]: fields for fields in (client.answer(), client.answer())}
        assert answers[stream].get(2) == [E_INVALID_ARGUMENT], answers
        assert 2 not in answers[other] and answers[other][4] == [FULL], answers
        assert answers[other][13] == [5000], answers

        first, second = client.begin(2), client.begin(3)
        content_id = client.add(bytes(client.segment_bytes), stream_id=2)
        client.commit(content_id, client.segment_bytes, stream_id=3)
        assert client.refused()[1] == [second]
        client.commit(0, 0, is_last=True, stream_id=2)
        fields = client.answer()
        assert fields[1] == [first] and fields[4] == [FULL] and fields[13] == [client.segment_bytes], fields


def test_of_another_connection():
    """memory that was lent on another connection is no segment"""
    with hostile() as client, Streamer().hello() as lender:
        client.begin()
        lender.fill(b"z" * 10)
        lent = lender.fill(b"x" * 100)
        client.commit(lent, 100, is_last=True)
        client.refused()


def test_committed_twice():
    """a segment counts once"""
    with hostile() as client:
        client.begin()
        content_id = client.add_full()
        client.commit(content_id, client.segment_bytes)
        client.refused()


def test_over_the_limit():
    """a stream of more than the limit is answered too_large, with what there was at least, and no provider is asked"""
    with hostile() as client:
        client.begin()
        segment = bytes(client.segment_bytes)
        for _ in range(MAX_CONTENT_BYTES // len(segment)):
            client.add(segment)
        assert held()["content_bytes"] >= MAX_CONTENT_BYTES
        assert os.geteuid() != 0 or held()["memories"] == MAX_CONTENT_BYTES // len(segment)
        client.add(b"x", is_last=True)
        fields = client.answer()
        assert 2 not in fields and 3 not in fields and fields[4] == [TOO_LARGE], fields
        assert fields[13] == [MAX_CONTENT_BYTES + 1] and 15 not in fields and 12 not in fields, fields


def test_never_ends():
    """a stream that never ends is ended, by the limit of what is examined, before its row is full"""
    with hostile() as client:
        client.begin()
        segment = bytes(client.segment_bytes)
        client.socket.setblocking(False)
        n = 0
        while n < 65 * len(segment):
            try:
                kind, fields = client.receive()
                break
            except BlockingIOError:
                client.socket.settimeout(10)
                client.add(segment)
                n += len(segment)
                if n <= MAX_CONTENT_BYTES:
                    client.socket.setblocking(False)
        assert (kind, fields[4]) == (raw.ANSWER, [TOO_LARGE]), (kind, fields)
        assert n <= MAX_CONTENT_BYTES + len(segment), n


def test_quota():
    """streams side by side hold what their user may, and a byte more is refused"""
    with hostile() as client:
        segment = bytes(client.segment_bytes)
        for stream_id in (1, 2, 3):
            client.begin(stream_id)
        n = 0
        while True:
            client.last_content_id += 1
            client.send(raw.RESERVE, raw.number(1, client.last_content_id) + raw.number(2, len(segment)))
            data, fds, _, _ = socket.recv_fds(client.socket, 65536, 1)
            ((kind, (body,)),) = raw.parse(data).items()
            if kind == raw.REFUSAL:
                break
            assert os.pwrite(fds[0], segment, 0) == len(segment)
            fcntl.fcntl(fds[0], fcntl.F_ADD_SEALS, SEALS)
            os.close(fds[0])
            client.commit(client.last_content_id, len(segment), stream_id=1 + n % 3)
            n += 1
        assert raw.parse(body)[3] == [E_QUOTA], raw.parse(body)
        assert 200 << 20 <= n * len(segment) <= 256 << 20, n


def test_cancel_between():
    """a stream that is taken back is answered once; what was on its way to it is freed"""
    with hostile() as client:
        ask_id = client.begin()
        client.add_full()
        late = client.fill(b"late")
        client.send(raw.CANCEL, raw.number(1, ask_id))
        client.commit(late, 4, is_last=True)
        client.refused(E_CANCELLED)
        client.send(raw.CANCEL, raw.number(1, ask_id))
        client.ask(b"the next question")
        assert client.answer()[1] == [ask_id + 1]
        assert held()["content_bytes"] == 0


def test_disconnect():
    """a client that goes in the middle leaves nothing, at whatever step"""
    for steps in range(4):
        with hostile() as client:
            client.begin()
            client.add_full()
            client.add_full()
            if steps == 1:
                os.close(client.reserve(client.segment_bytes)[0])
            elif steps == 2:
                client.fill(bytes(client.segment_bytes))
            elif steps == 3:
                client.commit(0, 0, is_last=True)


def test_disconnect_unread():
    """a client that never reads what is lent to it, and goes, leaves nothing"""
    with hostile() as client:
        client.begin()
        for content_id in range(1, 20):
            client.send(raw.RESERVE, raw.number(1, content_id) + raw.number(2, client.segment_bytes))
            client.commit(content_id, client.segment_bytes)


def test_release_of_what_is_used():
    """a segment cannot be released: the stream still has it"""
    with hostile() as client:
        client.begin()
        data = b"a" * client.segment_bytes
        content_id = client.add(data)
        client.send(raw.RELEASE, raw.number(1, content_id))
        client.add(b"end", is_last=True)
        fields = client.answer()
        assert fields[4] == [FULL] and fields[12] == [hashlib.sha256(data + b"end").digest()], fields


def test_release_before_commit():
    """what was released before it was committed is no segment"""
    with hostile() as client:
        client.begin()
        content_id = client.fill(b"x" * 100)
        client.send(raw.RELEASE, raw.number(1, content_id))
        client.commit(content_id, 100, is_last=True)
        client.refused()


def test_of_no_stream():
    """a segment of a stream that never was, and a stream whose number does not rise, end the connection"""
    for how in range(2):
        with hostile() as client:
            if how == 0:
                client.commit(0, 0, is_last=True, stream_id=7)
            else:
                client.begin(5)
                client.begin(5)
            kind, fields = client.receive()
            assert kind == raw.REFUSAL and fields[3] == [E_PROTOCOL] and fields[5] == [1], (kind, fields)


def test_write_after_commit():
    """a descriptor that is kept can change nothing of what was committed, nor its length"""
    with hostile() as client:
        client.begin()
        fd, content_id = client.reserve(100)
        os.pwrite(fd, b"x" * 100, 0)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
        client.commit(content_id, 100, is_last=True)
        for change in (lambda: os.pwrite(fd, b"y", 0), lambda: os.ftruncate(fd, 1), lambda: os.ftruncate(fd, 200)):
            try:
                change()
                raise AssertionError("it changed")
            except PermissionError:
                pass
        os.close(fd)
        assert client.answer()[12] == [hashlib.sha256(b"x" * 100).digest()]


def test_early_answer():
    """what goes on after a finding in the beginning has answered is freed, whatever it is"""
    test_string = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    with hostile() as client:
        client.begin()
        client.add(test_string.ljust(client.segment_bytes))
        fields = client.answer()
        assert fields[3] == [TEST_SAMPLE] and fields[4] != [FULL] and 12 not in fields, fields
        client.add_full()
        client.commit(client.fill(b"x" * 100, 0), 100)
        client.add(b"short")
        client.commit(0, 0, is_last=True)
        client.ask(b"the next question")
        assert client.answer()[3] == [NOT_DETECTED]
        assert held()["content_bytes"] == 0


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
