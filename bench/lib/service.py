"""A private daemon that stays while commands run beside it, and a clamd of one's own."""
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
TOLD = "import json,os,sys;print(json.dumps(dict(os.environ)),flush=True);sys.stdin.read()"
GIB = 1 << 30
ROOMY = """mode = "observe"
allow-unsigned = true
max-content = "2 GiB"
max-bytes-per-uid = "6 GiB"
max-sessions-per-uid = 4096
max-in-flight-per-uid = 4096
default-timeout = "60 s"
"""


def fail(text):
    sys.exit(f"bench: {text}")


class Service:
    """A `with` block with a daemon that has these providers: {name: text of its file}."""

    def __init__(self, build, providers, max_files=None):
        self.build, self.providers, self.max_files = build, providers, max_files

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pes-bench.")
        config = pathlib.Path(self.folder.name)
        config.chmod(0o755)
        (config / "pes.conf").write_text(ROOMY)
        (config / "providers.d").mkdir()
        for name, text in self.providers.items():
            (config / "providers.d" / f"{name}.conf").write_text(text)
        command = [str(SOURCE / "tools/private_pes"), "run", str(self.build), "--config", str(config), "--test-providers"]
        command += ["--max-files", str(self.max_files)] if self.max_files else []
        self.child = subprocess.Popen(command + ["--", sys.executable, "-c", TOLD], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        line = self.child.stdout.readline()
        if not line:
            fail(f"the daemon with {', '.join(self.providers)} did not start")
        self.env = json.loads(line)
        self.pid = int(self.env["PES_PRIVATE_PID"])
        self.log = pathlib.Path(self.env["PES_PRIVATE_LOG"])
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait()
        self.folder.cleanup()

    def configure(self, name, text):
        """Changes a provider's file in the copy that the daemon reads."""
        (self.log.parent / "config" / "providers.d" / f"{name}.conf").write_text(text)

    def processes(self):
        return descendants(self.pid)

    def usage(self):
        return usage(self.processes())


def descendants(root):
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def status_field(path, name):
    for line in path.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def usage(pids):
    """{process id: (name, time on a CPU in us, voluntary waits)}: each wait that ends is a wake-up."""
    result = {}
    for pid in pids:
        place = pathlib.Path(f"/proc/{pid}")
        try:
            cpu = waits = 0
            for task in (place / "task").iterdir():
                cpu += int((task / "schedstat").read_text().split()[0]) / 1000
                waits += status_field(task / "status", "voluntary_ctxt_switches")
            result[pid] = ((place / "comm").read_text().strip(), cpu, waits)
        except OSError:
            continue
    return result


def usage_between(before, after):
    """{name: [us, waits]}, of processes that were there before and after."""
    result = {}
    for pid, (name, cpu, waits) in after.items():
        if pid in before:
            entry = result.setdefault(name, [0.0, 0])
            entry[0] += cpu - before[pid][1]
            entry[1] += waits - before[pid][2]
    return result


def memory_kib(pids, field="Pss"):
    """Proportional memory of processes, shared pages counted once in all."""
    total = 0
    for pid in pids:
        try:
            total += status_field(pathlib.Path(f"/proc/{pid}/smaps_rollup"), field)
        except OSError:
            continue
    return total


def process_named(pids, name):
    for pid in pids:
        try:
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                return pid
        except OSError:
            continue
    return None


class Clamd:
    """A clamd with these definitions on a socket of its own; `path` is None, and `why` says why, without one."""

    def __init__(self, definitions):
        self.definitions, self.path, self.child = definitions, None, None
        self.why = ""

    def __enter__(self):
        program = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            self.why = "there is no clamd here; Debian's package is clamav-daemon"
            return self
        self.folder = tempfile.TemporaryDirectory(prefix="pes-bench-clamd.")
        folder = pathlib.Path(self.folder.name)
        config = folder / "clamd.conf"
        config.write_text("\n".join([
            f"LocalSocket {folder}/socket", f"DatabaseDirectory {self.definitions}", "Foreground yes",
            "DisableCache yes", "StreamMaxLength 1G", "MaxFileSize 1G", "MaxScanSize 1G",
            "SelfCheck 0", "MaxThreads 16", "MaxQueue 200", "ConcurrentDatabaseReload yes",
            "TemporaryDirectory /dev/shm" if os.access("/dev/shm", os.W_OK) else "", ""]))
        with open(folder / "log", "wb") as log:
            self.child = subprocess.Popen([program, "-c", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while not (folder / "socket").exists():
            if self.child.poll() is not None or time.monotonic() > deadline:
                self.why = "clamd did not start: " + (folder / "log").read_text(errors="replace")[-300:]
                return self
            time.sleep(0.05)
        self.path = str(folder / "socket")
        self.pid = self.child.pid
        return self

    def command(self, text):
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(self.path)
            stream.sendall(f"z{text}\0".encode())
            return stream.recv(4096)

    def __exit__(self, *_):
        if self.child:
            self.child.terminate()
            self.child.wait()
            self.folder.cleanup()


def raise_files(most):
    """What this process may have and hand on; returns what it got."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, max(most, hard)))
        return most
    except (ValueError, OSError):
        return hard
