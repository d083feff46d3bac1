#!/usr/bin/env python3
"""pesd keeps its processes running, and ends them all: with real processes that are killed, stopped and replaced."""
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap
from raw_client import ANSWER, GOAWAY, RawClient

EICAR_CONF = 'module = "eicar.so"\n'


def is_found(answer):
    return answer["verdict"] == "test_sample" and answer["coverage"] == "full"


def wait_answer(pesd, seconds=20):
    """Asks until the sample is found; each question in between must have got an honest answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = pesd.scan()
        if is_found(answer):
            return answer
        assert answer["coverage"] != "full", answer
        pesd.read_log(0.05)
    raise AssertionError("no full answer in time")


def test_start():
    """what is started is ready, answers, and has exactly its own descriptors"""
    with daemon.Pesd().wait_ready() as pesd:
        assert is_found(pesd.scan())
        (identity,) = pesd.pids_of("pes-identity")
        if os.geteuid() == 0:  # it lets nobody else look at it
            assert len(os.listdir(f"/proc/{identity}/fd")) == 4, os.listdir(f"/proc/{identity}/fd")
        (init,) = pesd.pids_of("pes-init", "eicar")
        assert b"NOTIFY_SOCKET" not in pathlib.Path(f"/proc/{init}/environ").read_bytes()
        assert b"PATH=" not in pathlib.Path(f"/proc/{init}/environ").read_bytes()
        if daemon.account():
            status = daemon.status_of(pesd.pid)
            assert set(status["Uid"].split()) == {str(daemon.account().pw_uid)}, status
            assert status["CapEff"] == "0000000000000000", status
            assert "0" not in status["Groups"].split(), status


def test_second():
    """a second pesd in the same folder is refused, and the first goes on"""
    with daemon.Pesd().wait_ready() as pesd:
        with daemon.Pesd(runtime=pesd.runtime) as second:
            assert second.wait_exit() == 1
            second.wait_log("another pesd serves in runtime folder '.*'; stop it, or give another --runtime")
        assert is_found(pesd.scan())


def test_sigkill():
    """when pesd is killed nothing of it is left, and a new one takes the folder over"""
    with daemon.Pesd().wait_ready() as pesd:
        assert is_found(pesd.scan())
        everything = daemon.descendants(pesd.pid)
        assert len(everything) >= 8, everything
        watch = daemon.Watch(everything)
        pesd.process.kill()
        left = watch.wait(2)
        assert not left, [(pid, daemon.command_of(pid)) for pid in left]
        assert (pesd.runtime / "pes.sock").exists()
        with daemon.Pesd(runtime=pesd.runtime).wait_ready() as again:
            assert is_found(again.scan())


def test_answering_socket():
    """a socket on which somebody else answers is not taken away from him"""
    with daemon.Pesd("--check-config") as probe:
        probe.wait_exit()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
            other.bind(str(probe.runtime / "pes.sock"))
            other.listen()
            os.chmod(probe.runtime / "pes.sock", 0o666)
            with daemon.Pesd(runtime=probe.runtime) as pesd:
                assert pesd.wait_exit() == 1
                pesd.wait_log("somebody answers on '.*/pes.sock'; stop the other pesd or its socket unit")
        assert (probe.runtime / "pes.sock").exists()


def test_sigterm():
    """SIGTERM ends everything at once when nothing is open, and takes the sockets away"""
    with daemon.Pesd().wait_ready() as pesd:
        watch = daemon.Watch(daemon.descendants(pesd.pid))
        began = time.monotonic()
        assert pesd.stop() == 0
        assert time.monotonic() - began < 2
        assert not watch.wait(1)
        left = [entry.name for entry in pesd.runtime.iterdir()]
        assert left == ["lock"], left


def test_stuck():
    """with every process stuck the end comes within three seconds all the same"""
    with daemon.Pesd().wait_ready() as pesd:
        everything = daemon.descendants(pesd.pid)
        for pid in everything:
            with contextlib.suppress(ProcessLookupError):  # the worker of a self-test may have just ended
                os.kill(pid, signal.SIGSTOP)
        watch = daemon.Watch(everything)
        began = time.monotonic()
        assert pesd.stop() == 0
        taken = time.monotonic() - began
        assert taken <= 3.1, taken
        assert not watch.wait(1)


def test_impatient():
    """a second SIGTERM ends it at once"""
    with daemon.Pesd().wait_ready() as pesd:
        (broker,) = pesd.pids_of("pes-broker")
        os.kill(broker, signal.SIGSTOP)
        pesd.process.send_signal(signal.SIGTERM)
        pesd.wait_log("stop: ending")
        began = time.monotonic()
        assert pesd.stop() == 0
        assert time.monotonic() - began < 1


def test_broker_killed():
    """a killed broker is back at once, with the zygotes of before"""
    with daemon.Pesd().wait_ready() as pesd:
        assert is_found(pesd.scan())
        for _ in range(3):
            inits = pesd.pids_of("pes-init")
            (broker,) = pesd.pids_of("pes-broker")
            since = len(pesd.lines)
            os.kill(broker, signal.SIGKILL)
            pesd.wait_log("child-lost: pes-broker ended by SIGKILL; starting it again in 0 ms", since=since)
            pesd.wait_log("pes-broker: .*provider 'eicar' generation 1 serves", since=since)
            wait_answer(pesd)
            assert pesd.pids_of("pes-init") == inits
            assert pesd.pids_of("pes-broker") != [broker]
            assert pesd.status()["config_generation"] == 1
        # Identity has followed its brokers: nothing is held against it, and it does not have to wait.
        assert len(pesd.pids_of("pes-identity")) == 1
        assert not [line for line in pesd.lines if "warning: child-lost: pes-identity" in line], pesd.lines


def test_own_question():
    """a question of one of pes's own processes is answered at once, and no provider is asked"""
    config = daemon.config_folder("", {"eicar": EICAR_CONF})
    folder = daemon.folder()
    # What becomes pesd has a child already, which asks when it is told how.
    wait = 'until [ -e "$0/go" ]; do sleep 0.05; done; sh "$0/go" >"$0/part" 2>"$0/err"; mv "$0/part" "$0/out"'
    before = ["sh", "-c", f'({wait}) & shift; exec "$@"', folder, "-"]
    with daemon.Pesd(config=config, before=before).wait_ready() as pesd:
        assert is_found(pesd.scan())
        sample = folder / "sample"
        sample.write_bytes(daemon.EICAR)
        names = ("PES_RUNTIME_DIR", "PES_CLIENT_POLICY", "PATH", "LD_LIBRARY_PATH")
        env = {name: value for name, value in pesd.client_env().items() if name in names}
        words = ["env", *[f"{name}={value}" for name, value in env.items()], "pes", "scan", "--json", sample]
        (folder / "go.part").write_text(shlex.join(map(str, words)) + "\n")
        (folder / "go.part").rename(folder / "go")
        pesd.wait_log(r"client-own: one of pes's own processes asks")
        deadline = time.monotonic() + 10
        while not (folder / "out").exists():
            assert time.monotonic() < deadline, "no answer"
            pesd.read_log(0.05)
        answer = json.loads((folder / "out").read_text().splitlines()[0])
        assert answer["coverage"] == "not_examined" and answer["verdict"] == "none", answer
        assert [part["status"] for part in answer["providers"]] == ["not_competent"], answer
        assert is_found(pesd.scan())  # others are asked for as ever


def test_fuse():
    """X3: content that crashed a worker is answered at once the next time, without one"""
    config = daemon.config_folder("", {"alpha": 'module = "scripted.so"\n'})
    crash = b"# PES-SCRIPT: crash SEGV"
    with daemon.Pesd(config=config).wait_ready() as pesd:
        first = pesd.scan(crash)
        pesd.wait_log("content-fuse: content of uid .* ended a worker of provider 'alpha'")
        again = [pesd.scan(crash) for _ in range(5)]
        assert all(answer["broker_us"] < 1000 for answer in again), again
        for answer in [first, *again]:
            (part,) = answer["providers"]
            assert (part["status"], part["signal"]) == ("crashed", "SIGSEGV"), answer
            assert answer["verdict"] == "none" and answer["coverage"] == "not_examined", answer
        report = json.loads(pesd.run("pes", "report", "--json").stdout)
        (row,) = [row for row in report["providers"] if row["name"] == "alpha"]
        assert row["signals"] == {"SIGSEGV": 1}, row
        assert pesd.scan(b"# another text")["coverage"] == "full"
def ptrace_fails(pid):
    """Whether a process of this user may not look into that one; asks in a child, whose uid is the broker's."""
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        if daemon.account():
            os.setgroups([])
            os.setgid(daemon.account().pw_gid)
            os.setuid(daemon.account().pw_uid)
        seized = libc.ptrace(0x4206, pid, 0, 0) == 0  # PTRACE_SEIZE
        error = ctypes.get_errno()
        try:
            open(f"/proc/{pid}/mem", "rb").close()
            os._exit(2)
        except PermissionError:
            os._exit(1 if seized or error != errno.EPERM else 0)
    return os.waitpid(child, 0)[1] == 0


def test_same_user():
    """C23: who runs as the broker's user may not trace it nor read its memory; killed, it is back in a second"""
    with daemon.Pesd().wait_ready() as pesd:
        who = daemon.account()
        become = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
        own = subprocess.Popen(["sleep", "60"], **become)
        try:
            assert not ptrace_fails(own.pid), "nobody may trace here: this proves nothing"
        finally:
            own.kill()
            own.wait()
        for program in ("pes-broker", "pes-identity"):
            for pid in pesd.pids_of(program):
                assert ptrace_fails(pid), program
        assert ptrace_fails(pesd.pid), "pesd"
        began = time.monotonic()
        os.kill(pesd.pids_of("pes-broker")[0], signal.SIGKILL)
        wait_answer(pesd)
        assert time.monotonic() - began < (1 if os.environ.get("PES_SANITIZE", "none") == "none" else 5)


def test_broker_keeps_dying():
    """a broker that dies again and again is started later from the sixth time on"""
    with daemon.Pesd().wait_ready() as pesd:
        since = len(pesd.lines)
        for n in range(5):
            while not pesd.pids_of("pes-broker"):
                pesd.read_log(0.02)
            os.kill(pesd.pids_of("pes-broker")[0], signal.SIGKILL)
            match = pesd.wait_log(r"pes-broker ended by SIGKILL; starting it again in (\d+) ms", since=since)
            since = pesd.lines.index(match.string, since) + 1
            assert (int(match[1]) > 1000) == (n == 4), (n, match[0])


def test_identity_killed():
    """a killed identity helper is replaced alone, and programs are known again"""
    config = daemon.config_folder('rule "x" { app = nothing mode = warn }', {"eicar": EICAR_CONF})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        broker = pesd.pids_of("pes-broker")
        os.kill(pesd.pids_of("pes-identity")[0], signal.SIGKILL)
        pesd.wait_log("pes-identity ended by SIGKILL; starting it again")
        assert is_found(pesd.scan())
        assert pesd.pids_of("pes-broker") == broker and len(pesd.pids_of("pes-identity")) == 1


def test_init_killed():
    """a killed provider is started again as the next generation; answers meanwhile are honest"""
    config = daemon.config_folder("", {"eicar": EICAR_CONF})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        os.kill(pesd.pids_of("pes-init")[0], signal.SIGKILL)
        match = pesd.wait_log(r"provider-lost: provider 'eicar': 'pes-init ended by SIGKILL'; .* in (\d+) ms")
        assert 80 <= int(match[1]) <= 120
        wait_answer(pesd)
        pesd.wait_log(r"provider 'eicar' is ready \(generation 2\)")


def test_never_ready():
    """a module that cannot be loaded is tried again ever later, and the service is ready without it"""
    top = daemon.folder()
    (top / "bad.so").write_text("this is no module\n")
    config = daemon.config_folder("", {"bad": f'module = "{top}/bad.so"\n', "eicar": EICAR_CONF})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        waits = []
        since = 0
        for _ in range(3):
            match = pesd.wait_log(r"provider 'bad': '(.*)'; starting it again in (\d+) ms", since=since)
            since = pesd.lines.index(match.string, since) + 1
            waits.append(int(match[2]))
        assert 80 <= waits[0] <= 120 and 160 <= waits[1] <= 240 and 320 <= waits[2] <= 480, waits
        row = next(row for row in pesd.status()["providers"] if row["name"] == "bad")
        assert row["state"] != "ready" and "it cannot be loaded" in row["reason"], row
        answer = pesd.scan()
        assert answer["verdict"] == "test_sample", answer


HANG = 'module = "scripted.so"\noptions = {{ "load=hang" }}\nload-timeout = "{}"\n'


def test_load_hangs():
    """a module that never comes back from loading is ended, tried again, and holds nobody up"""
    config = daemon.config_folder("", {"hang": HANG.format("300 ms"), "eicar": EICAR_CONF})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        for _ in range(2):
            pesd.wait_log("provider 'hang': 'it was not ready in time .* raise load-timeout'; starting it again in")
        assert pesd.scan()["verdict"] == "test_sample"


def test_death_while_the_next_loads():
    """a provider that dies while its next generation hangs in loading is started again"""
    config = daemon.config_folder("", {"eicar": EICAR_CONF, "other": 'module = "scripted.so"\n'})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        (init,) = pesd.pids_of("pes-init", "other")
        daemon.write_config(config, "", {"eicar": EICAR_CONF, "other": HANG.format("2 s")})
        pesd.reload()
        pesd.wait_log(r"provider 'other' is starting \(generation 2\)")
        os.kill(init, signal.SIGKILL)
        pesd.wait_log("provider 'other': 'pes-init ended by SIGKILL'; another one is starting")
        daemon.write_config(config, "", {"eicar": EICAR_CONF, "other": 'module = "scripted.so"\n'})
        pesd.wait_log("provider 'other': 'it was not ready in time .*'; starting it again in")
        pesd.reload()
        pesd.wait_log("pes-broker: .*'other' generation [0-9]+ serves", since=len(pesd.lines) - 1)
        assert pesd.scan()["coverage"] == "full"


def test_clean_stop():
    """a stop that was asked for is told without a word of loss"""
    for _ in range(6):
        with daemon.Pesd().wait_ready() as pesd:
            assert pesd.stop() == 0
            pesd.read_log(0.2)
            assert not [line for line in pesd.lines if "-lost" in line or "error" in line], pesd.lines


def test_unsigned():
    """without leave no unsigned module runs: it is said why, and nothing counts as looked at"""
    with daemon.Pesd(unsigned=False).wait_ready() as pesd:
        pesd.wait_log("provider 'eicar' is not started: 'its module is not signed")
        assert pesd.pids_of("pes-init") == []
        row = next(row for row in pesd.status()["providers"] if row["name"] == "eicar")
        assert row["state"] == "failed" and "not signed" in row["reason"], row
        answer = pesd.scan()
        assert answer["verdict"] in ("none", None) and answer["coverage"] == "not_examined", answer


def test_modules_refused():
    """a module that is a link, a folder, a FIFO or empty is refused with the reason"""
    top = daemon.folder()
    (top / "link.so").symlink_to(daemon.providers_folder() / "eicar.so")
    (top / "empty.so").write_bytes(b"")
    config = daemon.config_folder(
        "", {name: f'module = "{top}/{name}.so"\n' for name in ("link", "empty")} | {"eicar": EICAR_CONF}
    )
    with daemon.Pesd(config=config).wait_ready() as pesd:
        pesd.wait_log("provider 'link' is not started: 'the module is a symbolic link; name the file itself'")
        pesd.wait_log("provider 'empty' is not started: 'the module is empty'")
        assert pesd.scan()["verdict"] == "test_sample"
    (top / "folder.so").mkdir()
    os.mkfifo(top / "fifo.so")
    config = daemon.config_folder("", {name: f'module = "{top}/{name}.so"\n' for name in ("folder", "fifo")})
    with daemon.Pesd(config=config) as pesd:
        assert pesd.wait_exit() == 1
        pesd.wait_log(r"folder.conf:1: module '.*/folder.so' is not a regular file")
        pesd.wait_log(r"fifo.conf:1: module '.*/fifo.so' is not a regular file")


def test_receiver_killed():
    """where a receiver is needed, a killed one is replaced"""
    with daemon.Pesd(env={"PES_FORCE_RECEIVER": "1"}).wait_ready() as pesd:
        assert is_found(pesd.scan())
        (receiver,) = pesd.pids_of("pes-receiver")
        os.kill(receiver, signal.SIGKILL)
        pesd.wait_log("pes-receiver ended by SIGKILL; starting it again")
        assert is_found(pesd.scan())
        watch = daemon.Watch(daemon.descendants(pesd.pid))
        assert pesd.stop() == 0
        assert not watch.wait(1)


def read_to_the_end(client):
    """Counts of the messages by their type, until the other side closes."""
    counts = {}
    while message := client.receive():
        counts[message[0]] = counts.get(message[0], 0) + 1
    return counts


def check_stop_loses_nothing(env):
    with daemon.Pesd(env=env).wait_ready() as pesd, RawClient(pesd.runtime / "pes.sock") as client:
        client.hello()
        for n_asked in range(200, 1000, 200):  # as many as may be under way, and more than a socket holds
            for _ in range(200):
                client.ask(b"not read before the end")
            while json.loads(pesd.run("pes", "report", "--json").stdout)["scans"] < n_asked:
                pass
        pesd.process.terminate()
        assert read_to_the_end(client) == {ANSWER: 800, GOAWAY: 1}
        assert pesd.wait_exit() == 0


def test_a_stop_loses_no_answer():
    """what was answered before the end is read to the end, and then that it is one"""
    check_stop_loses_nothing({})


def test_a_stop_loses_no_answer_to_a_relay():
    """and so it is where a receiver is needed"""
    check_stop_loses_nothing({"PES_FORCE_RECEIVER": "1"})


def test_notify():
    """a service manager hears of readiness, reloading and the end"""
    top = daemon.folder()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(top / "notify"))
        os.chmod(top / "notify", 0o666)
        manager.settimeout(20)

        def heard(word):
            text = ""
            while word not in text.splitlines():
                text = manager.recv(4096).decode()
            return text

        with daemon.Pesd(env={"NOTIFY_SOCKET": str(top / "notify")}) as pesd:
            heard("EXTEND_TIMEOUT_USEC=75000000")  # a minute to load, and some more
            assert re.search(r"STATUS=(\d+) of \1 providers serve, mode observe", heard("READY=1"))
            pesd.reload()
            assert "MONOTONIC_USEC=" in heard("RELOADING=1")
            heard("READY=1")
            pesd.process.send_signal(signal.SIGTERM)
            heard("STOPPING=1")
            assert pesd.wait_exit() == 0


class Activator:
    """Holds the sockets as a service manager does, and starts daemons on them."""

    def __init__(self):
        self.runtime = daemon.folder() / "run"
        self.runtime.mkdir(0o755)
        self.passed = []
        for name in ("pes.sock", "admin.sock"):
            self.passed.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            self.passed[-1].bind(str(self.runtime / name))
            os.chmod(self.runtime / name, 0o666)
            self.passed[-1].listen()
        if daemon.account():
            os.chown(self.runtime, daemon.account().pw_uid, daemon.account().pw_gid)
        # They have to arrive as 3 and 4.
        self.high = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD_CLOEXEC, 20) for one in self.passed]

    def start(self, names="client:admin", env=None):
        # With the pid of pesd itself.
        shell = 'exec 3<&"$1" 4<&"$2"; shift 2; export LISTEN_PID=$$; exec "$@"'
        pesd = daemon.Pesd(
            runtime=self.runtime,
            env=dict(env or {}, LISTEN_FDS="2", LISTEN_FDNAMES=names),
            fds=self.high,
            before=["bash", "-c", shell, "bash", *map(str, self.high)],
        )
        # Whoever called listen() is whom clients see: that is us here.
        pesd.policy.write_text(f"broker-uid = {os.geteuid()}\n")
        return pesd


def test_activation():
    """sockets that a service manager passes are used, and stay"""
    activator = Activator()
    with activator.start() as pesd:
        pesd.wait_ready()
        assert is_found(pesd.scan())
        assert pesd.stop() == 0
    assert (activator.runtime / "pes.sock").exists() and (activator.runtime / "admin.sock").exists()
    with activator.start("client:other") as pesd:
        assert pesd.wait_exit() == 1
        pesd.wait_log('passed a socket named \'other\'; name them "client" and "admin"')


def ask_through_restarts(env):
    """
    Asks from a client that stays and from ever new ones while the daemon is replaced three times. Each time a slow
    question keeps the old one from ending at once: it is answered, and the others wait for the new one.
    """
    asker = os.environ["PES_ASK_ON"]
    activator = Activator()
    pesd = activator.start(env=env).wait_ready()
    first = pesd  # its policy and paths are good for the others, too
    clients = [first.popen(asker, how) for how in ("stay", "anew", "anew")]
    slow = []
    for _ in range(3):
        slow.append(first.popen(asker, "once", "# PES-SCRIPT: sleep 700"))
        time.sleep(0.2)  # it is under way by then; if not, it waits like the others
        assert pesd.stop() == 0
        pesd = activator.start(env=env).wait_ready()
        assert is_found(pesd.scan())
    said = [client.communicate()[0].decode() for client in clients + slow]
    pesd.kill()
    for text in said:
        n_asked, n_failed = map(int, re.search(r"(\d+) asked, (\d+) failed", text).groups())
        assert n_asked > 0 and n_failed == 0, text
    print("# " + said[0].splitlines()[-1])


def test_restart():
    """while a service manager holds the sockets a restart fails no question"""
    ask_through_restarts({})


def test_restart_receiver():
    """nor does it where a receiver is needed"""
    ask_through_restarts({"PES_FORCE_RECEIVER": "1"})


def test_folders():
    """a runtime folder that is unsafe, foreign or too long is refused with what to do"""
    open_folder = daemon.folder()
    open_folder.chmod(0o777)
    with daemon.Pesd(runtime=open_folder) as pesd:
        assert pesd.wait_exit() == 1
        pesd.wait_log("(others may write to runtime folder '.*'; chmod go-w it|belongs to somebody else)")
    long = daemon.folder() / ("x" * 100)
    with daemon.Pesd(runtime=long) as pesd:
        assert pesd.wait_exit() == 1
        pesd.wait_log("too long for a socket; give a shorter --runtime")


def test_command_line():
    """a wrong command line is told in one line, with status 64"""
    for options in (["--mode", "loud"], ["--nonsense"], ["extra"], ["--ready-fd", "1"], ["--ready-fd", "99"], ["--config", ""]):
        with daemon.Pesd(*options) as pesd:
            assert pesd.wait_exit() == 64, options
            assert len(pesd.lines) == 1, pesd.lines
    if os.geteuid() == 0:
        for user in ("root", "0", "no-such-user"):
            with daemon.Pesd("--drop-to", user) as pesd:
                assert pesd.wait_exit() == 1
                pesd.wait_log(f"cannot become --drop-to '{user}'")


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
