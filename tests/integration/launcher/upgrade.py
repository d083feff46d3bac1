#!/usr/bin/env python3
"""SIGUSR2 to pesd: the broker alone is replaced, beside the living providers, and nobody who asks notices (E8)."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap
from raw_client import ANSWER, GOAWAY, RawClient
from supervision import EICAR_CONF, is_found

PROVIDERS = {"eicar": EICAR_CONF, "other": 'module = "scripted.so"\nworkers = 4\n'}
RECEIVER = {"PES_FORCE_RECEIVER": "1"}
DONE = "upgrade: pes-broker is upgraded, in "


def start(env=None, providers=None, main="", **more):
    config = daemon.config_folder(main, PROVIDERS if providers is None else providers)
    return daemon.Pesd(config=config, env=env, **more).wait_ready()


def ask_to_upgrade(pesd):
    """Returns from which line of the log on its consequences stand."""
    pesd.read_log(0)
    since = len(pesd.lines)
    pesd.process.send_signal(signal.SIGUSR2)
    return since


def upgrade(pesd):
    pesd.wait_log(DONE, since=ask_to_upgrade(pesd))


def not_workers(pesd):
    found = pesd.pids_of("pes-init")
    for init in list(found):
        for pid in daemon.descendants(init):
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() != "pes-worker":
                    found.append(pid)
    return sorted(found)


def zygotes(pesd):
    """The inits and zygotes: what has loaded definitions and must not do so again."""
    found = None
    while (now := not_workers(pesd)) != found:  # a worker that was just forked does not have its name yet
        found = now
        pesd.read_log(0.1)
    return found


@contextlib.contextmanager
def broker_program(text):
    """What is installed as pes-broker is this for a while."""
    path = next(daemon.stage().rglob("pes-broker"))
    kept = path.with_suffix(".kept")
    path.rename(kept)
    path.write_text(text)
    path.chmod(0o755)
    try:
        yield
    finally:
        kept.rename(path)


def wait_under_way(pesd):
    """Until the broker has a question under way."""
    deadline = time.monotonic() + 20
    while not pesd.status()["in_flight"]:
        assert time.monotonic() < deadline, "no question is under way"


def n_scans(pesd):
    return json.loads(pesd.run("pes", "report", "--json").stdout)["scans"]


def check_asked(client):
    text = client.communicate()[0].decode()
    n_asked, n_failed = map(int, re.search(r"(\d+) asked, (\d+) failed", text).groups())
    assert n_asked > 0 and n_failed == 0, text
    return text.splitlines()[-1]


def upgrade_under_load(env):
    asker = os.environ["PES_ASK_ON"]
    with start(env) as pesd:
        kept = zygotes(pesd)
        assert len(kept) >= 4, kept
        brokers = {pesd.pids_of("pes-broker")[0]}
        clients = [pesd.popen(asker, how) for how in ("stay", "stay", "anew", "anew")]
        slow = []
        for _ in range(4):
            slow.append(pesd.popen(asker, "once", "# PES-SCRIPT: sleep 700"))
            wait_under_way(pesd)
            upgrade(pesd)
            (broker,) = pesd.pids_of("pes-broker")
            assert broker not in brokers, broker
            brokers.add(broker)
        said = [check_asked(client) for client in clients + slow]
        assert zygotes(pesd) == kept
        for name in ("pes-identity", "pes-receiver"):
            assert len(pesd.pids_of(name)) == (0 if name == "pes-receiver" and not env else 1), name
        assert is_found(pesd.scan())
        assert not [line for line in pesd.lines if "-lost" in line or "error" in line], pesd.lines
        print("# " + said[0])


def test_under_load():
    """E8: no question fails while the broker is upgraded four times, and the zygotes are the same"""
    upgrade_under_load({})


def test_under_load_receiver():
    """E8: nor does one where a receiver is needed"""
    upgrade_under_load(RECEIVER)


def old_finishes(env):
    with start(env) as pesd, RawClient(pesd.runtime / "pes.sock") as client:
        client.hello()
        client.ask(b"# PES-SCRIPT: sleep 1500")
        wait_under_way(pesd)
        since = ask_to_upgrade(pesd)
        assert client.receive()[0] == GOAWAY
        began = time.monotonic()
        assert is_found(pesd.scan())  # by the new one
        assert time.monotonic() - began < 1.4, "somebody waited for the old one"
        assert len(pesd.pids_of("pes-broker")) == 2
        kind, _fields = client.receive()
        assert kind == ANSWER, kind
        pesd.wait_log(DONE, since=since)
        assert len(pesd.pids_of("pes-broker")) == 1


def test_old_finishes():
    """E8: the old broker says goaway and answers what is open, while the new one serves others"""
    old_finishes({})


def test_old_finishes_receiver():
    """E8: and so it does where a receiver is needed"""
    old_finishes(RECEIVER)


def goes_on(program, reason, seconds=20):
    with start() as pesd, RawClient(pesd.runtime / "pes.sock") as client:
        client.hello()
        before = pesd.pids_of("pes-broker"), zygotes(pesd), len(daemon.descendants(pesd.pid))
        asker = pesd.popen(os.environ["PES_ASK_ON"], "anew")
        while n_scans(pesd) < 3:
            pesd.read_log(0.02)
        with broker_program(program):
            pesd.wait_log(f"not upgraded: the new pes-broker {reason}; the one before goes on", seconds, ask_to_upgrade(pesd))
        check_asked(asker)
        client.ask(b"still here")
        assert client.receive()[0] == ANSWER  # and no goaway
        assert (pesd.pids_of("pes-broker"), zygotes(pesd)) == before[:2]
        assert is_found(pesd.scan())
        assert len(pesd.pids_of("pes-identity")) == 1
        assert pesd.status()["config_error"].startswith(f"upgrade: the new pes-broker {reason}"), pesd.status()
        assert f"The last change was refused: upgrade: the new pes-broker {reason}" in pesd.run("pes", "status").stdout.decode()
        upgrade(pesd)  # with what is there again
        assert not pesd.status()["config_error"], pesd.status()
        assert pesd.pids_of("pes-broker") != before[0] and is_found(pesd.scan())


def test_crash():
    """E8: a new broker that crashes at its start leaves everything to the old one"""
    goes_on("#!/bin/sh\nkill -SEGV $$\n", "ended by SIGSEGV at its start")


def test_exit():
    """E8: so does one that does not want to start"""
    goes_on("#!/bin/sh\nexit 3\n", "ended with status 3 at its start")


def test_no_program():
    """E8: so does one that is no program"""
    goes_on("this is none", "cannot be started")


def test_silent():
    """E8: and one that never gets ready is ended in time"""
    goes_on("#!/bin/sh\nexec sleep 1000\n", "was not ready in time and is ended", 30)


def test_nonsense():
    """E8: and one that says what it may not"""
    goes_on("#!/bin/bash\nprintf nonsense >&\"$2\"; exec sleep 1000\n", "ended by SIGKILL at its start")


def test_again():
    """E8: several upgrades that are asked for during one become one more"""
    with start() as pesd:
        asker = pesd.popen(os.environ["PES_ASK_ON"], "stay")
        since = ask_to_upgrade(pesd)
        pesd.wait_log("upgrade: starting a new pes-broker beside", since=since)
        for _ in range(5):
            pesd.process.send_signal(signal.SIGUSR2)
        pesd.wait_log("is upgraded when what is under way is over", since=since)
        first = pesd.lines.index(pesd.wait_log(DONE, since=since).string, since)
        pesd.wait_log(DONE, since=first + 1)
        assert is_found(pesd.scan())
        check_asked(asker)
        assert len([line for line in pesd.lines if DONE in line]) == 2, pesd.lines


def test_reload_waits():
    """E8: a reload during an upgrade follows it, and an upgrade during a reload follows that"""
    with start() as pesd, RawClient(pesd.runtime / "pes.sock") as client:
        client.hello()
        client.ask(b"# PES-SCRIPT: sleep 1000")
        wait_under_way(pesd)
        since = ask_to_upgrade(pesd)
        pesd.wait_log("a new pes-broker serves", since=since)
        pesd.reload()
        pesd.wait_log("the configuration is read again when that is over", since=since)
        pesd.wait_log("configuration 2 is in force", since=since)
        lines = "\n".join(pesd.lines[since:])
        assert lines.index(DONE) < lines.index("configuration 2 is in force"), lines
        assert [client.receive()[0] for _ in range(2)] == [GOAWAY, ANSWER]
    config = daemon.config_folder("", PROVIDERS)
    with daemon.Pesd(config=config).wait_ready() as pesd:
        daemon.write_config(config, "", PROVIDERS | {"other": PROVIDERS["other"] + 'options = {"only=other"}\n'})
        since = pesd.reload()
        pesd.wait_log(r"'other' is starting \(generation 2\)", since=since)
        pesd.process.send_signal(signal.SIGUSR2)
        pesd.wait_log("is upgraded when what is under way is over", since=since)
        pesd.wait_log(DONE, since=since)
        lines = "\n".join(pesd.lines[since:])
        assert lines.index("'other' is ready (generation 2)") < lines.index("starting a new pes-broker"), lines
        assert is_found(pesd.scan())


def test_refused_reload():
    """a reload that was refused is still to be read after an upgrade, and until one is taken"""
    config = daemon.config_folder("", PROVIDERS)
    with daemon.Pesd(config=config).wait_ready() as pesd:
        daemon.write_config(config, "nonsense = 1\n", PROVIDERS)
        pesd.wait_log("the configuration is not taken", since=pesd.reload())
        for _ in range(2):
            assert "pes.conf:1" in pesd.status()["config_error"], pesd.status()
            upgrade(pesd)
        daemon.write_config(config, "", PROVIDERS)
        pesd.wait_log("configuration 2 is in force", since=pesd.reload())
        upgrade(pesd)
        assert not pesd.status()["config_error"], pesd.status()


def test_off():
    """E8: `pes off` reaches both brokers at once"""
    with start(main="mode = enforce\n") as pesd, RawClient(pesd.runtime / "pes.sock") as client:
        client.hello()
        client.ask(b"# PES-SCRIPT: sleep 1000")
        wait_under_way(pesd)
        since = ask_to_upgrade(pesd)
        pesd.wait_log("a new pes-broker serves", since=since)
        done = pesd.run("pes", "off", "--for", "1h", user=daemon.account() and daemon.account().pw_uid)
        assert done.returncode == 0, done
        pesd.wait_log("switched-off", since=since)
        assert pesd.status()["mode"] == "observe", pesd.status()
        pesd.wait_log(DONE, since=since)


def test_provider_dies():
    """E8: a provider that dies while there are two brokers comes back for both"""
    with start() as pesd, RawClient(pesd.runtime / "pes.sock") as client:
        client.hello()
        client.ask(b"# PES-SCRIPT: sleep 2000")
        wait_under_way(pesd)
        since = ask_to_upgrade(pesd)
        pesd.wait_log("a new pes-broker serves", since=since)
        os.kill(pesd.pids_of("pes-init", "eicar")[0], signal.SIGKILL)
        pesd.wait_log(r"provider 'eicar' is ready \(generation 2\)", since=since)
        deadline = time.monotonic() + 20
        while not is_found(pesd.scan()):
            assert time.monotonic() < deadline
        assert [client.receive()[0] for _ in range(2)] == [GOAWAY, ANSWER]
        pesd.wait_log(DONE, since=since)
        upgrade(pesd)
        assert is_found(pesd.scan())


def test_broker_dies():
    """E8: whichever of two brokers is killed, there is one again, and the zygotes are kept"""
    for which in (0, 1):
        with start() as pesd, RawClient(pesd.runtime / "pes.sock") as client:
            kept = zygotes(pesd)
            client.hello()
            client.ask(b"# PES-SCRIPT: sleep 3000")
            wait_under_way(pesd)
            (old,) = pesd.pids_of("pes-broker")
            since = ask_to_upgrade(pesd)
            pesd.wait_log("a new pes-broker serves", since=since)
            both = sorted(pesd.pids_of("pes-broker"), key=lambda pid: pid != old)
            os.kill(both[which], signal.SIGKILL)
            if which == 1:
                pesd.wait_log("child-lost: pes-broker ended by SIGKILL; starting it again in 0 ms", since=since)
            pesd.wait_log(DONE, since=since)
            deadline = time.monotonic() + 20
            while not is_found(pesd.scan()):
                assert time.monotonic() < deadline
            said = []
            while message := client.receive():
                said.append(message[0])
            assert said == ([GOAWAY] if which == 0 else [GOAWAY, ANSWER]), (which, said)
            assert zygotes(pesd) == kept and len(pesd.pids_of("pes-broker")) == 1
            assert pesd.status()["in_flight"] == 0


def phases(pesd):
    """An upgrade that has just begun, and one where the old broker has yet to answer."""
    since = ask_to_upgrade(pesd)
    pesd.wait_log("upgrade: starting a new pes-broker", since=since)
    yield "begun"
    pesd.wait_log("a new pes-broker serves", since=since)
    yield "two"


def in_each_phase(act):
    for wanted in ("begun", "two"):
        with start() as pesd, RawClient(pesd.runtime / "pes.sock") as client:
            client.hello()
            client.ask(b"# PES-SCRIPT: sleep 1200")
            wait_under_way(pesd)
            for phase in phases(pesd):
                if phase == wanted:
                    break
            act(pesd, client)


def test_stop():
    """E8: a stop during an upgrade answers what is open, and ends both brokers"""

    def act(pesd, client):
        watch = daemon.Watch(daemon.descendants(pesd.pid))
        began = time.monotonic()
        assert pesd.stop() == 0
        assert time.monotonic() - began <= 3.1
        assert not watch.wait(1)
        assert [client.receive()[0] for _ in range(2)] == [GOAWAY, ANSWER]

    in_each_phase(act)


def test_sigkill():
    """E8: a pesd that is killed during an upgrade leaves nobody behind"""

    def act(pesd, client):
        watch = daemon.Watch(daemon.descendants(pesd.pid))
        pesd.process.kill()
        left = watch.wait(2)
        assert not left, [(pid, daemon.command_of(pid)) for pid in left]
        with contextlib.suppress(socket.timeout, ConnectionResetError):
            while client.receive():
                pass

    in_each_phase(act)


def test_rights():
    """E8: what an upgrade starts is confined as what it replaces, and holds no more"""
    with start() as pesd:

        def held():
            (pid,) = pesd.pids_of("pes-broker")
            status = daemon.status_of(pid)
            fields = ("Uid", "Gid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Seccomp_filters")
            fds = len(os.listdir(f"/proc/{pid}/fd")) if os.geteuid() == 0 else None
            return [status.get(name) for name in fields], fds, len(daemon.descendants(pesd.pid))

        def settled():
            """Every slot has its worker."""
            assert is_found(pesd.scan())
            last = None
            deadline = time.monotonic() + 20
            while (now := held()) != last or now[2] < 8:
                assert time.monotonic() < deadline, now
                last = now
                pesd.read_log(0.3)
            return now

        before = settled()
        for _ in range(3):
            upgrade(pesd)
            assert settled() == before, (before, settled())


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
