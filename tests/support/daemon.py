"""A pesd for tests of the launcher: started as wanted, listened to, ended; nothing is left behind.

The build is staged once per run of a test file. Started by root, user mode becomes nobody, so everything lies where
everybody may read.
"""
import atexit
import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = pathlib.Path(os.environ["PES_SOURCE"])
BUILD = pathlib.Path(os.environ["PES_BUILD"])
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"

_stage = None


def folder():
    """A new folder that everybody may read, removed at the end."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="pes-launcher."))
    path.chmod(0o755)
    atexit.register(shutil.rmtree, path, True)
    return path


def stage():
    """Where the build is installed: the folder with bin, sbin and so on."""
    global _stage
    if _stage is None:
        os.umask(0o022)
        top = folder()
        command = [SOURCE / "tools" / "private_pes", "stage", BUILD, top, "--test-providers"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        _stage = next(top.rglob("sbin/pesd")).parent.parent
    return _stage


def providers_folder():
    return next(stage().rglob("pes/providers"))


def account():
    """Whom user mode runs as when root starts it; None for an ordinary user."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def config_folder(main="", providers=None):
    """A configuration: pes.conf, and a text per provider."""
    path = folder()
    write_config(path, main, providers)
    return path


def write_config(path, main="", providers=None):
    shutil.rmtree(path / "providers.d", True)
    (path / "providers.d").mkdir()
    (path / "pes.conf").write_text(main)
    for name, text in (providers or {}).items():
        (path / "providers.d" / f"{name}.conf").write_text(text)


def status_of(pid):
    """The fields of /proc/PID/status."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: line.split(":", 1)[1].strip() for line in lines}


def parents():
    """pid -> parent of every process that has not ended."""
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = pathlib.Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            state, parent = text[text.rindex(")") + 2 :].split()[:2]
            if state != "Z":
                table[int(entry)] = int(parent)
    return table


def descendants(top):
    table = parents()
    found = {top}
    while True:
        more = {pid for pid, parent in table.items() if parent in found} - found
        if not more:
            return found - {top}
        found |= more


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


class Watch:
    """Processes that are held by pidfds: waits for their ends without polling."""

    def __init__(self, pids):
        self.fds = {}
        for pid in pids:
            try:
                self.fds[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                pass

    def wait(self, seconds):
        """The pids that are still there after so long."""
        deadline = time.monotonic() + seconds
        left = dict(self.fds)
        while left:
            wait = deadline - time.monotonic()
            ready = select.select(list(left.values()), [], [], max(wait, 0))[0]
            left = {pid: fd for pid, fd in left.items() if fd not in ready}
            if wait <= 0:
                break
        for fd in self.fds.values():
            os.close(fd)
        return sorted(left)


class Pesd:
    """One daemon. `with Pesd(...) as pesd:` ends it."""

    def __init__(self, *options, config=None, runtime=None, user=True, env=None, unsigned=True, fds=(), before=None):
        self.top = folder()
        self.runtime = pathlib.Path(runtime) if runtime else self.top / "run"
        self.is_user = user
        if user and not self.runtime.exists():  # in system mode pesd makes it
            self.runtime.mkdir(0o755)
            if account():
                os.chown(self.runtime, account().pw_uid, account().pw_gid)
        self.policy = self.top / "client.conf"
        self.policy.write_text(f"broker-uid = {account().pw_uid}\n" if user and account() else "")
        self.lines = []
        self.pending = b""
        ready_read, ready_write = os.pipe()
        command = [*(before or []), stage() / "sbin" / "pesd"]
        command += ["--user"] if user else []
        command += ["--allow-unsigned"] if unsigned else []
        command += ["--runtime", self.runtime, "--ready-fd", str(ready_write)]
        command += ["--config", config] if config else []
        command += options
        self.env = dict(os.environ, **(env or {}))
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.env,
            pass_fds=[ready_write, *fds],
            cwd="/",
            start_new_session=True,
        )
        os.close(ready_write)
        self.ready_fd = ready_read

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _traceback):
        self.kill()
        if kind is not None:
            self.read_log(0.2)
            for line in self.lines:
                print(f"# {line}")

    @property
    def pid(self):
        return self.process.pid

    def read_log(self, seconds):
        """Reads what is there, waiting at most so long for something."""
        out = self.process.stdout
        if not select.select([out], [], [], max(seconds, 0))[0]:
            return False
        data = os.read(out.fileno(), 65536)
        self.pending += data
        *lines, self.pending = self.pending.split(b"\n")
        self.lines += [line.decode(errors="replace") for line in lines]
        return bool(data)

    def wait_log(self, pattern, seconds=20, since=0):
        """Waits for a line of the log that matches, from line `since` on; returns the match."""
        deadline = time.monotonic() + seconds
        at = since
        while True:
            while at < len(self.lines):
                match = re.search(pattern, self.lines[at])
                if match:
                    return match
                at += 1
            left = deadline - time.monotonic()
            if left <= 0 or not self.read_log(left):
                raise AssertionError(f"the log has no line like {pattern!r}")

    def wait_ready(self, seconds=40):
        deadline = time.monotonic() + seconds
        while not select.select([self.ready_fd], [], [], 0)[0]:
            assert time.monotonic() < deadline, "not ready in time"
            self.read_log(0.05)
        word = os.read(self.ready_fd, 64)
        assert word == b"ready\n", (word, self.lines)
        return self

    def wait_exit(self, seconds=5):
        """Its exit status, once it has ended by itself."""
        watch = Watch([self.pid])
        assert not watch.wait(seconds), "pesd does not end"
        status = self.process.wait()
        while self.read_log(0.5):
            pass
        return status

    def stop(self, seconds=5):
        self.process.send_signal(signal.SIGTERM)
        return self.wait_exit(seconds)

    def kill(self):
        if self.process.poll() is None:
            watch = Watch(descendants(self.pid))
            self.process.kill()
            self.process.wait()
            watch.wait(5)

    def reload(self):
        """Sends SIGHUP; returns from which line of the log on its consequences stand."""
        since = len(self.lines)
        self.process.send_signal(signal.SIGHUP)
        return since

    def pids_of(self, program, name=None):
        """The direct children that run a program, for a provider's pes-init of that name."""
        found = []
        for pid, parent in parents().items():
            command = command_of(pid)
            if parent == self.pid and command and command[0].decode().endswith(program):
                if name is None or name.encode() in command:
                    found.append(pid)
        return sorted(found)

    def client_env(self):
        """What a program needs in its environment to find the stage and this daemon."""
        return dict(
            self.env,
            PATH=f"{stage()}/bin:{self.env['PATH']}",
            LD_LIBRARY_PATH=str(next(stage().rglob("libpes.so.1")).parent),
            PES_RUNTIME_DIR=str(self.runtime),
            PES_CLIENT_POLICY=str(self.policy),
        )

    def run(self, *command, user=None, **more):
        """Runs a program of the stage beside the daemon."""
        more.setdefault("timeout", 60)
        return subprocess.run(
            [str(part) for part in command], capture_output=True, env=self.client_env(), user=user, check=False, **more
        )

    def popen(self, *command, user=None):
        """Starts a program of the stage beside the daemon, with pipes for input and output."""
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.client_env(),
            user=user,
        )

    def scan(self, content=EICAR, **more):
        """Asks about some bytes; the JSON object that `pes scan` prints."""
        import json

        done = self.run("pes", "scan", "--json", "-", input=content, **more)
        assert done.stdout, done
        return json.loads(done.stdout.splitlines()[0])

    def status(self):
        import json

        done = self.run("pes", "status", "--json")
        assert done.stdout, done
        return json.loads(done.stdout)


class Asker:
    """A client that asks all the time, and keeps every answer."""

    def __init__(self, pesd):
        self.pesd, self.answers, self.done = pesd, [], threading.Event()
        self.thread = threading.Thread(target=self._ask)

    def question(self):
        return self.pesd.scan()

    def _ask(self):
        while not self.done.is_set():
            self.answers.append(self.question())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
