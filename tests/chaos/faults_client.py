"""R6, R9, R16, R17: what a client can do to the others."""
import fcntl
import hashlib
import mmap
import os
import pathlib
import random
import socket
import subprocess
import sys
import threading
import time

import daemon
import tap
import world
from asking import Probe
from raw_client import ANSWER, ASK, HELLO, KIND_GENERIC, RELEASE, RESERVE, RESERVED, RawClient, number, octets, parse

F_ADD_SEALS, SEAL_SEAL, SEAL_WRITE = 1033, 0x1, 0x8


def vectors():
    """The good messages of the wire's golden vectors."""
    folder = daemon.SOURCE / "protocol" / "vectors" / "good"
    found = []
    for path in sorted(folder.rglob("*.hex")):
        message = b""
        for word in path.read_text().split():
            octet, _, times = word.partition("*")
            message += bytes.fromhex(octet) * int(times or 1)
        found.append(message)
    return found


def mutate(chance, message):
    out = bytearray(message)
    for _ in range(chance.randrange(1, 4)):
        where = chance.randrange(len(out) + 1)
        how = chance.randrange(4)
        if how == 0 and out:
            out[where % len(out)] ^= 1 << chance.randrange(8)
        elif how == 1:
            out[where:where] = chance.randbytes(chance.randrange(1, 9))
        elif how == 2:
            del out[where : where + chance.randrange(1, 9)]
        else:
            out[where:] = b""
    return bytes(out) or b"\0"


def send_mutated(pesd, chance, messages, n):
    """Sends so many broken messages, over as many connections as it takes. How many connections were ended."""
    n_ended = 0
    client = None
    for _ in range(n):
        if client is None:
            client = RawClient(pesd.runtime / "pes.sock")
            if chance.random() < 0.9:
                client.send(HELLO, number(1, 1) + number(2, 1) + octets(3, b"raw") + number(5, 3))
        try:
            client.socket.settimeout(10)
            client.socket.send(mutate(chance, chance.choice(messages)))
            client.socket.settimeout(0)
            while client.socket.recv(65536):
                pass
            raise ConnectionResetError
        except BlockingIOError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            client.socket.close()
            client = None
            n_ended += 1
    if client:
        client.socket.close()
    return n_ended


def r6(amount):
    """R6: malformed messages through the socket end their own connection alone"""
    seed = int(os.environ.get("PES_SEED", time.time_ns() % 2**32))
    print(f"# PES_SEED={seed}")
    n = amount.of(3000, 300000)
    with world.start().wait_ready() as pesd:
        probe = Probe(pesd)
        footprint = world.Footprint(pesd)
        with probe:
            n_ended = send_mutated(pesd, random.Random(seed), vectors(), n)
            world.drain(pesd)
        assert n_ended > n / 100, n_ended  # many are told with the next message alone
        return {"messages": n, "ended": n_ended, **footprint.check(1024), **probe.figures()}


class Racer:
    """Writes into memory all the time, by write() and through a mapping made before it was sealed."""

    def __init__(self, fd, n_bytes):
        self.fd, self.n_bytes, self.done, self.n_after = fd, n_bytes, False, 0
        self.thread = threading.Thread(target=self._race)
        self.thread.start()

    def _race(self):
        while not self.done:
            try:
                os.pwrite(self.fd, os.urandom(64), random.randrange(self.n_bytes - 64))
            except PermissionError:
                self.n_after += 1

    def stop(self):
        self.done = True
        self.thread.join()


def reserve(client, content_id, n_bytes):
    client.send(RESERVE, number(1, content_id) + number(2, n_bytes))
    data, fds, _flags, _address = socket.recv_fds(client.socket, 65536, 1)
    ((kind, _body),) = parse(data).items()
    assert kind == RESERVED and len(fds) == 1, (kind, fds)
    return fds[0]


def race_once(client, content_id, n_bytes):
    """One content with a racing writer. What was scanned is what is in the memory afterwards."""
    fd = reserve(client, content_id, n_bytes)
    for at in range(0, n_bytes, 65536):
        os.pwrite(fd, os.urandom(min(65536, n_bytes - at)), at)
    racer = Racer(fd, n_bytes)
    time.sleep(random.random() * 0.002)
    fcntl.fcntl(fd, F_ADD_SEALS, SEAL_SEAL | SEAL_WRITE)
    client.last_id += 1
    client.send(
        ASK,
        number(1, client.last_id)
        + number(2, KIND_GENERIC)
        + number(4, 5000000)
        + number(10, content_id)
        + number(11, n_bytes),
    )
    kind, fields = client.receive()
    racer.stop()
    assert kind == ANSWER and 2 not in fields, (kind, fields)
    with mmap.mmap(fd, n_bytes, prot=mmap.PROT_READ) as memory:
        seen = hashlib.sha256(memory).digest()
    assert fields[12] == [seen], "what was hashed is not what is there"
    os.close(fd)
    client.send(RELEASE, number(1, content_id))
    return racer.n_after


def r9(amount):
    """R9: whoever writes on while content is committed changes nothing that is scanned"""
    n = amount.of(60, 10000)
    with world.start().wait_ready() as pesd, RawClient(pesd.runtime / "pes.sock") as client:
        client.hello()
        footprint = world.Footprint(pesd)
        n_refused = sum(race_once(client, i + 1, 40000 + i % 3 * 100000) for i in range(n))
        assert n_refused > 0, "the race was never on"
        return {"commits": n, "late_writes_refused": n_refused, **footprint.check(1024)}


HOLDER = """
import os, socket, sys
path, n, uid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, sys.argv[4])
if uid: os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
from raw_client import RawClient
held = [RawClient(path).hello() for _ in range(n)]
print(len(held), flush=True)
sys.stdin.read()
"""


def hold(pesd, n, uid):
    """A process of a user that holds so many connections open."""
    support = pathlib.Path(__file__).resolve().parent.parent / "support"
    command = [sys.executable, "-B", "-c", HOLDER, pesd.runtime / "pes.sock", n, uid, support]
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def r17(amount):
    """R17: thousands of connected clients cost what was promised, and slow nobody down"""
    if os.geteuid() != 0:
        tap.skip("only root can be many users")
    n_users, n_each = amount.of(20, 160), 63
    with world.start().wait_ready() as pesd:
        probe = Probe(pesd)
        footprint = world.Footprint(pesd)
        holders = [hold(pesd, n_each, 20000 + i) for i in range(n_users)]
        n_sessions = sum(int(holder.stdout.readline()) for holder in holders)
        assert n_sessions == n_users * n_each, n_sessions
        with probe:
            time.sleep(amount.of(2, 20))
            world.drain(pesd)
        kib = world.memory_kib(footprint.pid)
        assert world.SANITIZED or kib <= 32 * 1024 + 2 * n_sessions, f"{kib} KiB for {n_sessions} sessions"
        for holder in holders:
            holder.communicate()
        return {"sessions": n_sessions, "broker_kib": kib, **footprint.check(4096), **probe.figures()}


ASKER = """
import os, sys, time
path, uid, n_open, seconds, text = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
sys.path.insert(0, sys.argv[6])
from raw_client import ANSWER, ASK, KIND_GENERIC, RawClient, number, octets
os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
client = RawClient(path).hello()
print("ready", flush=True)
sys.stdin.readline()
n_asked = n_answered = 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    while n_asked - n_answered < n_open:
        n_asked += 1
        content = f"{text} # {n_asked}".encode()
        client.send(ASK, number(1, n_asked) + number(2, KIND_GENERIC) + number(4, 60000000) + octets(9, content))
    kind, _ = client.receive()[:2]
    n_answered += kind == ANSWER
print(n_answered, flush=True)
"""


def ask_as(pesd, uid, n_open, seconds, text):
    """A process of a user that keeps so many questions open; it begins with a line on its input."""
    support = pathlib.Path(__file__).resolve().parent.parent / "support"
    command = [sys.executable, "-B", "-c", ASKER, pesd.runtime / "pes.sock", uid, n_open, seconds, text, support]
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


def answers_of(*processes):
    """Lets them ask at the same time; how many answers each got."""
    for process in processes:
        process.stdin.write(b"\n")
        process.stdin.flush()
    return [int(process.communicate()[0]) for process in processes]


def r16(amount):
    """R16: neither a flood nor slow content of one user takes more than half from another"""
    if os.geteuid() != 0:
        tap.skip("only root can be two users")
    seconds = amount.of(3, 20)
    quick, slow = "# PES-SCRIPT: @alpha sleep 10", "# PES-SCRIPT: @alpha sleep 1500"
    providers = {"alpha": 'module = "scripted.so"\noptions = {"only=alpha"}\nworkers = 2\n'}
    with world.start(providers).wait_ready() as pesd:
        (alone,) = answers_of(ask_as(pesd, 20001, 1, seconds, quick))
        beside_flood, flood = answers_of(
            ask_as(pesd, 20001, 2, seconds, quick), ask_as(pesd, 20002, 200, seconds, quick)
        )
        beside_slow, _ = answers_of(ask_as(pesd, 20001, 1, seconds, quick), ask_as(pesd, 20002, 50, seconds, slow))
    assert beside_flood >= 0.4 * (beside_flood + flood), (beside_flood, flood)
    assert beside_slow >= 0.45 * alone, (alone, beside_slow)
    return {"alone": alone, "beside_flood": beside_flood, "flood": flood, "beside_slow": beside_slow}


ROWS = [r6, r9, r16, r17]
