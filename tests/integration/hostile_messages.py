#!/usr/bin/env python3
"""What strangers send to the live socket: broken frames by the thousand, and context made to fool whoever shows it.

Runs beside a private daemon with the test provider (tools/private_pes run --test-providers). PES_HOSTILE_FRAMES says
how many broken frames; the seed is printed and can be given again as PES_HOSTILE_SEED.
"""
import errno
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import raw_client as raw  # noqa: E402
import tap  # noqa: E402
from processes import descendants  # noqa: E402

E_QUOTA = 7
N_FRAMES = int(os.environ.get("PES_HOSTILE_FRAMES", "20000"))
SEED = int(os.environ.get("PES_HOSTILE_SEED", str(random.randrange(1 << 32))))
RELEASE, CANCEL, DONE, QUERY, SEGMENT = 6, 7, 9, 12, 15
# Freed memory is kept for a while by the address sanitizer, at most so much; without it nothing grows.
RSS_SLACK_KIB = 300 << 10 if "address" in os.environ.get("PES_SANITIZE", "") else 1 << 10

UGLY = b"a\0b\nc\r\x1b[2J\x1b]0;title\x07\x9b31m\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xff\xfe\x7f\\'\"end"
# Every text field that a client may claim, by number (protocol/registry.toml).
TEXT_FIELDS = [100, 102, 104, *range(200, 211), 300, 301, 304, *range(404, 408), *range(500, 509)]


def good_frames():
    """One of each message that a client may send, some with everything in them."""
    item = raw.number(1, 300) + raw.octets(2, b"https://example.org/")
    context = raw.octets(12, item) + raw.octets(12, raw.number(1, 400) + raw.number(3, 1))
    ask = raw.number(1, 1) + raw.number(2, raw.KIND_GENERIC) + raw.number(4, 1000000)
    return [
        raw.octets(raw.HELLO, raw.number(1, 1) + raw.number(2, 1) + raw.octets(3, b"raw") + raw.number(5, 3)),
        raw.octets(raw.ASK, ask + raw.octets(9, b"content") + context),
        raw.octets(raw.ASK, ask + raw.octets(9, b"x" * 3000) + context * 8),
        raw.octets(raw.RESERVE, raw.number(1, 1) + raw.number(2, 4096)),
        raw.octets(raw.ASK, ask + raw.number(14, 1)),
        raw.octets(SEGMENT, raw.number(1, 1) + raw.number(2, 1) + raw.number(3, 4096) + raw.number(4, 1)),
        raw.octets(SEGMENT, raw.number(1, 1)),
        raw.octets(RELEASE, raw.number(1, 1)),
        raw.octets(CANCEL, raw.number(1, 1)),
        raw.octets(DONE, raw.number(1, 1) + raw.number(2, 1)),
        raw.octets(QUERY, raw.number(1, 7) + raw.number(2, 1)),
    ]


def spoil(rng, frame):
    """A frame that is probably none any more."""
    data = bytearray(frame)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(data)) if data else 0
        how = rng.randrange(7)
        if how == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[at:]
        elif how == 2:
            data[at:at] = rng.randbytes(rng.randrange(1, 20))
        elif how == 3:
            data[at : at + 1] = rng.choice((b"\xff" * 10, b"\x80" * 9 + b"\x01", b"\0", b"\xff\xff\xff\xff\x0f"))
        elif how == 4:
            del data[at : at + rng.randrange(1, 8)]
        elif how == 5:
            data += data[at:]
        else:
            data = bytearray(rng.randbytes(rng.choice((0, 1, 2, 3, 17, 200))))
    return bytes(data[:65536])


def drain(client):
    """Takes what is there. Whether the connection still stands."""
    client.socket.setblocking(False)
    try:
        while client.socket.recv(65536):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        client.socket.settimeout(10)


def connect(is_welcome):
    client = raw.RawClient()
    return client.hello() if is_welcome else client


def flood(rng, n_frames):
    """Sends so many; returns the number of connections it took."""
    frames = good_frames()
    n_connections = n_sent = 0
    while n_sent < n_frames:
        n_connections += 1
        try:
            with connect(rng.random() < 0.9) as client:
                for _ in range(rng.randrange(1, 40)):
                    try:
                        client.socket.send(spoil(rng, rng.choice(frames)))
                    except OSError as error:
                        assert error.errno in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN), error
                        break
                    n_sent += 1
                    if not drain(client):
                        break
        except (ConnectionError, TypeError):
            continue  # refused or ended before welcome: the next one
    return n_connections


def rss_kib():
    (broker,) = descendants("pes-broker")
    for line in pathlib.Path(f"/proc/{broker}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return broker, int(line.split()[1])
    raise AssertionError("no VmRSS")


def pes(*arguments, text=None, statuses=(0,)):
    run = subprocess.run(["pes", *arguments], input=text, capture_output=True, check=False, timeout=60)
    assert run.returncode in statuses, run
    return run


def service():
    return json.loads(pes("status", "--json").stdout)


def assert_harmless(data, what):
    """No control characters but line ends, nothing that turns or hides text, and UTF-8."""
    text = data.decode("utf-8")
    bad = [char for char in text if (ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160]
    bad += [char for char in text if char in "\u200b\u200e\u200f\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u202e"]
    assert not bad, (what, bad, text)


def test_flood():
    """thousands of broken frames over many connections: nobody dies, nothing is kept, an honest question is answered"""
    rng = random.Random(SEED)
    print(f"# PES_HOSTILE_SEED={SEED}")
    flood(rng, N_FRAMES // 4)
    broker, before = rss_kib()
    n_connections = flood(rng, N_FRAMES - N_FRAMES // 4)
    after_broker, after = rss_kib()
    print(f"# {N_FRAMES} frames, {n_connections} connections in the second part, {before} -> {after} KiB")
    assert after_broker == broker, "the broker was replaced"
    assert after <= before + RSS_SLACK_KIB, f"the broker grew from {before} to {after} KiB"
    with raw.RawClient().hello() as client:
        client.ask(b"an honest question")
        answer = client.answer()
        assert answer[3] == [2] and answer[4] == [1], answer  # not_detected, full
    deadline = 100
    while deadline and (state := service())["sessions"] + state["in_flight"] + state["content_bytes"] > 1:
        deadline -= 1
    assert state["sessions"] == 1 and state["in_flight"] == 0 and state["content_bytes"] == 0, state


def test_flood_is_logged_in_few_lines():
    """the log of a flood is short and can be shown on any terminal"""
    log = pathlib.Path(os.environ["PES_PRIVATE_LOG"]).read_bytes()
    assert_harmless(log, "log")
    assert log.count(b"client-refused") < 500, log.count(b"client-refused")


def test_context_reaches_the_provider_unchanged():
    """every text field takes NUL, line ends, ANSI and direction marks, and the provider gets those very bytes"""
    with raw.RawClient().hello() as client:
        for field in TEXT_FIELDS:
            body = client.ask_body(b"PES-SCRIPT: text %d" % field)
            body += raw.number(6, 16) + raw.octets(12, raw.number(1, field) + raw.octets(2, UGLY))
            client.send(raw.ASK, body)
            fields = client.answer()
            parts = [raw.parse(part) for part in fields[15]]
            (scripted,) = [part for part in parts if part[1] == [b"scripted"]]
            assert scripted[4] == [1], (field, scripted)
            assert scripted[17] == [UGLY], (field, scripted)


def test_hello_may_be_ugly():
    """an application's name and version may be anything, and every list stays fit for a terminal"""
    client = raw.RawClient()
    with client:
        body = raw.number(1, 1) + raw.number(2, 1) + raw.octets(3, UGLY[:60]) + raw.octets(4, UGLY[:30])
        client.send(raw.HELLO, body + raw.number(5, 3))
        assert client.receive()[0] == raw.WELCOME
        client.ask(b"asked under a strange name")
        client.answer()
        for command in (["status"], ["providers"], ["report"], ["report", "--json"], ["status", "--json"]):
            assert_harmless(pes(*command).stdout, command)


def test_program_name():
    """a program whose file has an ugly name is shown with it escaped"""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "a\n\x1b[31m\u202e'pes"
        program.write_bytes(pathlib.Path(subprocess.check_output(["which", "pes"], text=True).strip()).read_bytes())
        program.chmod(0o755)
        subprocess.run([program, "scan", "-"], input=b"hello", check=True, timeout=60)
        for command in (["report"], ["report", "--json"], ["status"]):
            assert_harmless(pes(*command).stdout, command)
    assert_harmless(pathlib.Path(os.environ["PES_PRIVATE_LOG"]).read_bytes(), "log")


def test_command_line():
    """what the command line passes on comes back escaped, in the table, in JSON and in what it decodes to"""
    ugly = UGLY.replace(b"\0", b"")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder.encode(), ugly.replace(b"/", b""))
        for field, option in ((300, b"--origin-url"), (301, b"--referrer"), (102, b"--session"), (500, b"--app")):
            with open(path, "wb") as file:
                file.write(b"PES-SCRIPT: text %d; found Some.Thing malicious" % field)
            for style in ([b"--json"], [b"--verbose"]):
                run = pes("scan", option, ugly, *style, path, statuses=(1,))
                assert_harmless(run.stdout, option)
                assert_harmless(run.stderr, option)
                assert b"end" in run.stdout, run
        run = pes("scan", os.path.join(folder.encode(), b"missing" + ugly), statuses=(2,))
        assert_harmless(run.stderr, "missing")
        assert run.stderr.count(b"\n") == 2, run.stderr


def test_too_many_connections():
    """a user's connection too many is told so, and which limit it is, to libpes, too"""
    clients = []
    try:
        refusal = None
        while refusal is None and len(clients) < 200:
            client = raw.RawClient()
            clients.append(client)
            try:
                client.send(raw.HELLO, raw.number(1, 1) + raw.number(2, 1) + raw.octets(3, b"raw"))
            except BrokenPipeError:
                pass  # it was refused before it said anything
            try:
                kind, fields = client.receive()
            except ConnectionResetError:
                kind, fields = client.receive()  # closed before hello was read; why comes behind
            refusal = fields if kind == raw.REFUSAL else None
        assert refusal, len(clients)
        assert refusal[1] == [raw.HELLO] and refusal[3] == [E_QUOTA] and refusal[5] == [1], refusal
        run = pes("scan", "-", text=b"hello", statuses=(2,))
        assert b"too many connections" in run.stderr and b"start" not in run.stderr, run
    finally:
        for client in clients:
            client.socket.close()


def test_lying_descriptor_counts():
    """messages with more control data than bytes end at most their own connection"""
    pair = socket.socketpair()
    with raw.RawClient().hello() as client:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("2i", pair[0].fileno(), pair[1].fileno()))]
        try:
            client.socket.sendmsg([b""], rights)
            client.socket.sendmsg([b"\0"], rights)
        except OSError as error:
            assert error.errno in (errno.EPERM, errno.EPIPE, errno.ECONNRESET), error
    for end in pair:
        end.close()
    with raw.RawClient().hello() as client:
        client.ask(b"still served")
        assert client.answer()[3] == [2]


if __name__ == "__main__":
    tap.run(globals())
