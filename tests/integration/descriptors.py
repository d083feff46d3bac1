#!/usr/bin/env python3
"""No descriptor of a client ever gets into the broker, and one that hangs in closing delays nobody else.

Runs beside a private daemon (tools/private_pes run), once as the kernel is and once with the receiver forced.
"""
import contextlib
import errno
import os
import pathlib
import select
import signal
import socket
import struct
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402
from processes import descendants  # noqa: E402
from raw_client import ASK, RawClient  # noqa: E402

SENDS = 300


def broker_fds():
    """What the broker's descriptors are; one that is closed while we look is left out."""
    folder = f"/proc/{descendants('pes-broker')[0]}/fd"
    found = {}
    try:
        for fd in os.listdir(folder):
            try:
                found[fd] = os.readlink(f"{folder}/{fd}")
            except FileNotFoundError:
                continue
    except PermissionError:
        tap.skip("only root may look at the broker's descriptors")
    return found


def send_with(client, fds):
    """Asks with descriptors; whether the kernel let them out of here."""
    body = client.ask_body(b"with a descriptor")
    try:
        client.send(ASK, body, fds)
        return True
    except PermissionError:
        client.last_id -= 1
        return False


def lingering_socket():
    """A socket whose last close blocks for four seconds: unsent data, and a peer that does not read."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    sender = socket.socket()
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sender.connect(listener.getsockname())
    reader, _ = listener.accept()
    sender.setblocking(False)
    # One refusal is not enough: what was sent first moves on to the peer, and there is room again.
    while select.select([], [sender], [], 0.5)[1]:
        try:
            sender.send(b"x" * 65536)
        except BlockingIOError:
            pass
    sender.setblocking(True)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 4))
    return sender, reader, listener


@contextlib.contextmanager
def nobody_receives():
    """Stops whoever could receive a client's message."""
    pids = descendants("pes-broker") + descendants("pes-receiver")
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def delay_by_lingering(where):
    """Sends a lingering socket and leaves its last close to the service. Returns how long the sender waited for its
    answer (None: the kernel refused) and the longest that somebody else waited meanwhile."""
    with RawClient(path=os.path.join(os.environ["PES_RUNTIME_DIR"], where)) as attacker, RawClient() as other:
        attacker.hello()
        other.hello()
        sender, reader, listener = lingering_socket()
        fd = sender.detach()
        with nobody_receives():
            if not send_with(attacker, [fd]):
                return None, 0
            os.close(fd)
        begin = time.monotonic()
        slowest = 0.0
        while not select.select([attacker.socket], [], [], 0)[0] and time.monotonic() < begin + 10:
            start = time.monotonic()
            other.ask(b"somebody else's question")
            other.answer()
            slowest = max(slowest, time.monotonic() - start)
        reader.close()
        listener.close()
        return time.monotonic() - begin, slowest


def check_lingering(where):
    waited, slowest = delay_by_lingering(where)
    assert slowest < 1.0, f"a question took {slowest:.3f} s"
    if waited is None:
        assert not descendants("pes-receiver"), "the kernel refuses, so the receiver was not tried"
        return
    assert waited > 3, f"the socket was closed within {waited:.3f} s: nothing was tried"


def test_what_keeps_them_out_is_what_this_run_is_about():
    """the receiver is there exactly when it was forced or the kernel cannot refuse descriptors"""
    has_receiver = bool(descendants("pes-receiver"))
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    assert has_receiver == ("PES_FORCE_RECEIVER" in os.environ or release < (6, 16))


def test_a_descriptor_is_never_seen_in_the_broker():
    """a descriptor that a client sends never shows up in the broker"""
    before = broker_fds()
    with tempfile.NamedTemporaryFile(prefix="pes-secret.") as secret, RawClient() as client:
        client.hello()
        n_open = len(broker_fds())
        for _ in range(SENDS):
            was_sent = send_with(client, [secret.fileno()])
            now = broker_fds()
            assert not any(secret.name in target for target in now.values()), now
            assert len(now) <= n_open, (len(now), n_open)
            if was_sent:
                client.answer()
        client.ask(b"still served")
        client.answer()
    deadline = time.monotonic() + 5
    while len(broker_fds()) > len(before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(broker_fds()) <= len(before), (before, broker_fds())


def test_many_descriptors_in_one_message():
    """two hundred descriptors in one message change nothing either"""
    before = len(broker_fds())
    with open("/dev/null", "rb") as null, RawClient() as client:
        client.hello()
        try:
            client.send(ASK, client.ask_body(b"many"), [null.fileno()] * 200)
            client.answer()
        except OSError as error:
            assert error.errno == errno.EPERM, error
        assert len(broker_fds()) <= before + 1


def test_a_lingering_socket_lingers():
    """the socket that the next tests use takes four seconds to close"""
    sender, reader, listener = lingering_socket()
    start = time.monotonic()
    sender.close()
    waited = time.monotonic() - start
    assert waited > 3, f"{waited:.3f} s"
    reader.close()
    listener.close()


def test_a_lingering_socket_delays_nobody_else():
    """a socket that takes four seconds to close delays no other client"""
    check_lingering("pes.sock")


def test_a_lingering_socket_of_an_administrator_delays_nobody():
    """nor does one that came by the administrators' socket"""
    check_lingering("admin.sock")


if __name__ == "__main__":
    tap.run(globals())
