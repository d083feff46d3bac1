#!/usr/bin/env python3
"""Without room for descriptors on their way, what carries one waits; nothing is lost, and nobody is blamed.

Runs beside a private daemon whose processes may have few descriptors (tools/private_pes run --max-files 512): the
kernel lets a user have as many on their way as the sender may have open.
"""
import contextlib
import fcntl
import os
import pathlib
import select
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402
from raw_client import ASK, KIND_GENERIC, RESERVE, RESERVED, RawClient, number  # noqa: E402

CONTENT = b"y" * 100000
MORE_THAN_ALLOWED = 1000
COVERAGE, COVERAGE_FULL = 4, 1


def reserve(client):
    client.send(RESERVE, number(1, 1) + number(2, len(CONTENT)))


def fill_reserved(client):
    """Takes, fills and seals what was reserved."""
    data, fds, _, _ = socket.recv_fds(client.socket, 65536, 1)
    assert data[0] >> 3 == RESERVED and len(fds) == 1, (data, fds)
    os.pwrite(fds[0], CONTENT, 0)
    fcntl.fcntl(fds[0], fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)
    os.close(fds[0])


def ask_reserved(client):
    client.last_id += 1
    body = number(1, client.last_id) + number(2, KIND_GENERIC) + number(4, 20000000)
    client.send(ASK, body + number(10, 1) + number(11, len(CONTENT)))


@contextlib.contextmanager
def descriptors_on_their_way():
    """A process of the daemon's user has more descriptors in sockets than a process of the daemon may have."""
    owner = os.stat(os.environ["PES_RUNTIME_DIR"]).st_uid
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ready)
        if os.geteuid() == 0:
            os.setgid(owner)
            os.setuid(owner)
        with open("/dev/null", "rb") as null, contextlib.ExitStack() as pairs:
            for _ in range(MORE_THAN_ALLOWED // 250):
                pair = [pairs.enter_context(end) for end in socket.socketpair()]
                socket.send_fds(pair[0], [b"x"], [null.fileno()] * 250)
            os.write(tell, b"x")
            signal.pause()
    os.close(tell)
    try:
        assert os.read(ready, 1) == b"x", "it could not send them"
        yield
    finally:
        os.close(ready)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_descriptors_that_cannot_be_sent_wait():
    """reservations, scans of memory and newcomers' identities wait for room, and all else goes on"""
    with RawClient() as client, RawClient() as other:
        client.hello()
        other.hello()
        reserve(client)
        fill_reserved(client)
        with descriptors_on_their_way():
            ask_reserved(client)
            reserve(other)
            with RawClient() as newcomer:
                newcomer.hello()
                newcomer.ask(b"small")
                newcomer.answer()
            assert not select.select([client.socket, other.socket], [], [], 0)[0], "nothing had to wait"
        fill_reserved(other)
        assert client.answer()[COVERAGE] == [COVERAGE_FULL]
        ask_reserved(other)
        assert other.answer()[COVERAGE] == [COVERAGE_FULL]


if __name__ == "__main__":
    tap.run(globals())
