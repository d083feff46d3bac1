#!/usr/bin/env python3
"""
The Debian packages, in a Debian of their own: installed, used, upgraded while everybody asks, removed, purged.

Called by `./dev test package` with the packages in build/deb. First the system is a chroot in which nothing runs, as in an
image that is being made; then it is booted with systemd (systemd-nspawn), so that the units do what they do on a machine.
The plain system is made once and kept in build/bookworm. Needs root, mmdebstrap, systemd-nspawn and a mirror; skips
without.
"""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "tests" / "support"))

import tap

BUILD = SOURCE / "build"
DEBS = BUILD / "deb"
BASE = BUILD / "bookworm"
ASK_ON = BUILD / "release" / "tests" / "integration" / "ask_on"
MIRROR = os.environ.get("PES_DEBIAN_MIRROR", "http://deb.debian.org/debian")
# What the packages depend on is part of the plain system, so that dpkg alone installs them.
INCLUDED = "passwd,systemd,systemd-sysv,libclamav12,libconfuse2,libicu72,libjansson4,libre2-9,libsmartcols1,libsystemd0,libyara9"
PACKAGES = (
    "libpes1",
    "pes",
    "pes-provider-clamav",
    "pes-provider-command",
    "pes-provider-hashlist",
    "pes-provider-yara",
    "pes-shell-guard",
)
LANDLOCK = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
USERS = ("pes-broker", "pes-identity", "pes-receiver")
# Halves, so that this file is not the test file itself.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
# Notes that dpkg, the loader and the service manager take for themselves, and what moves by itself.
NOTES = re.compile(r"^(var/lib/(dpkg|systemd(?!/deb-systemd))|var/log|var/cache|run|tmp|proc|sys|dev)(/|$)|^etc/(passwd|group|g?shadow)-$|\.lock$")


def run(*command, **more):
    more.setdefault("check", True)
    more.setdefault("timeout", 300)
    done = subprocess.run([str(word) for word in command], capture_output=True, **more, start_new_session=True)
    return done


def said(done):
    return f"status {done.returncode}: {done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}"


def need_system():
    """Skips where there cannot be a system to install into; else sees to the plain one."""
    if os.geteuid() != 0:
        tap.skip("needs root")
    for program in ("mmdebstrap", "systemd-nspawn", "nsenter"):
        if not shutil.which(program):
            tap.skip(f"needs {program}")
    if run("unshare", "--mount", "true", check=False).returncode != 0:
        tap.skip("needs the right to mount")
    assert list(DEBS.glob("pes_*.deb")), "there are no packages: ./dev package"
    if (BASE / "complete").exists() and (BASE / "complete").read_text() == INCLUDED:
        return
    try:
        urllib.request.urlopen(f"{MIRROR}/dists/bookworm/InRelease", timeout=10).close()
    except OSError as error:
        tap.skip(f"no mirror of Debian answers: {error}")
    shutil.rmtree(BASE, ignore_errors=True)
    BASE.mkdir(parents=True)
    make = ["mmdebstrap", "--mode=root", "--variant=essential", "--dpkgopt=force-unsafe-io", f"--include={INCLUDED}"]
    run(*make, "bookworm", BASE / "root", MIRROR, timeout=600)
    (BASE / "complete").write_text(INCLUDED)


class System:
    """A copy of the plain system. `with System() as system:` removes it."""

    def __init__(self):
        need_system()
        self.root = BASE / "copy"
        self.leader = None
        shutil.rmtree(self.root, ignore_errors=True)
        run("cp", "-a", "--reflink=auto", BASE / "root", self.root)
        shutil.copy(ASK_ON, self.root / "usr/local/bin/ask_on")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def command(self, *command):
        inside = ["nsenter", "--target", str(self.leader), "--all"] if self.leader else ["chroot", str(self.root)]
        return inside + ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"] + [
            str(word) for word in command
        ]

    def run(self, *command, **more):
        return run(*self.command(*command), **more)

    def copy_debs(self, folder, names=PACKAGES):
        target = self.root / "opt" / folder.name
        target.mkdir(exist_ok=True)
        debs = [next(folder.glob(f"{name}_*.deb")) for name in names]
        for deb in debs:
            shutil.copy(deb, target)
        return [f"/opt/{folder.name}/{deb.name}" for deb in debs]

    def install(self, names=PACKAGES):
        done = self.run("dpkg", "-i", *self.copy_debs(DEBS, names), check=False)
        assert done.returncode == 0, said(done)
        return done

    def snapshot(self):
        """Every path of the system that is nobody's note, and what stands in the lists of users."""
        found = self.run("find", "/", "-xdev", "-printf", "%P\n").stdout.decode().splitlines()
        paths = {path for path in found if not NOTES.search(path)} - {"opt/deb", "opt/newer"}
        lists = {name: (self.root / "etc" / name).read_text() for name in ("passwd", "group", "shadow", "gshadow")}
        return {path for path in paths if not path.startswith(("opt/deb/", "opt/newer/"))}, lists

    def scan(self, content=EICAR, user=None):
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        return self.run(*command, "pes", "scan", "-", input=content, check=False)

    @contextlib.contextmanager
    def booted(self):
        """Runs systemd in it, and afterwards ends it."""
        boot = ["systemd-nspawn", "--quiet", "--directory", self.root, "--boot", "--register=no", "--keep-unit"]
        # Its own filter is older than Landlock; a machine has none.
        boot += ["--private-network", "--link-journal=no", "--system-call-filter=" + " ".join(LANDLOCK)]
        log = open(BASE / "boot.log", "wb")
        nspawn = subprocess.Popen(
            [str(word) for word in boot], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            self.leader = self.find_leader(nspawn)
            yield
        finally:
            self.leader = None
            nspawn.terminate()
            try:
                nspawn.wait(20)
            except subprocess.TimeoutExpired:
                nspawn.kill()
                nspawn.wait()
            log.close()

    def find_leader(self, nspawn):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and nspawn.poll() is None:
            children = run("ps", "--no-headers", "-o", "pid=", "--ppid", nspawn.pid, check=False).stdout.split()
            if children:
                self.leader = int(children[0])
                state = self.run("systemctl", "is-system-running", check=False).stdout.decode().strip()
                if state in ("running", "degraded"):
                    return self.leader
            time.sleep(0.1)
        tap.skip("systemd does not start in a container here: " + (BASE / "boot.log").read_text(errors="replace")[-300:])


def newer():
    """The same packages with a higher version."""
    target = BASE / "newer"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in PACKAGES:
        (deb,) = DEBS.glob(f"{name}_*.deb")
        tree = target / "tree"
        run("dpkg-deb", "--raw-extract", deb, tree)
        control = tree / "DEBIAN" / "control"
        version = re.search(r"^Version: (.*)$", control.read_text(), re.M).group(1)
        control.write_text(control.read_text().replace(version, version + "+newer"))
        run("dpkg-deb", "-Znone", "--build", tree, target / deb.name.replace(version, version + "+newer"))
        shutil.rmtree(tree)
    return target


def check_clean(before, system):
    """Everything is as it was before the packages came."""
    paths, lists = system.snapshot()
    assert paths == before[0], sorted(paths ^ before[0])
    for name, text in lists.items():
        assert sorted(text.splitlines()) == sorted(before[1][name].splitlines()), (name, text)
    assert not (system.root / "run/pes").exists()


def wait_until(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} does not happen"
        time.sleep(0.05)


def test_lintian():
    """lintian finds no error and nothing to warn about"""
    if not shutil.which("lintian"):
        tap.skip("needs lintian")
    (changes,) = DEBS.glob("*.changes")
    done = run("lintian", "--allow-root", "--fail-on", "error,warning", "--show-overrides", changes, check=False)
    assert done.returncode == 0 and not done.stdout, said(done)


def use_chroot(system):
    """Installs, and starts the service as an administrator would by hand."""
    system.install()
    users = (system.root / "etc/passwd").read_text()
    assert all(f"\n{user}:" in users for user in USERS), users
    assert (system.root / "etc/systemd/system/sockets.target.wants/pes.socket").is_symlink()
    assert (system.root / "run/pes").is_dir()
    done = system.run("pesd", "--check-config")
    assert b"5 providers" in done.stdout, said(done)
    read_end, write_end = os.pipe()
    command = system.command("pesd", "--ready-fd", str(write_end))
    pesd = subprocess.Popen(command, pass_fds=[write_end], stderr=subprocess.PIPE, start_new_session=True)
    os.close(write_end)
    try:
        assert os.read(read_end, 16) == b"ready\n", pesd.communicate()[1]
        done = system.scan()
        assert done.returncode == 1 and b"EICAR" in done.stdout, said(done)
        assert system.scan(b"hello").returncode == 0
        assert b"4 of 5 providers answer" in system.run("pes", "status").stdout
    finally:
        os.close(read_end)
        pesd.terminate()
        log = pesd.communicate(timeout=20)[1]
    assert pesd.returncode == 0, log


def test_chroot():
    """in a chroot where nothing runs they are installed, used by hand, removed and purged, and leave nothing"""
    with System() as system:
        before = system.snapshot()
        run("mount", "--bind", "/proc", system.root / "proc")
        run("mount", "--bind", "/dev", system.root / "dev")
        try:
            use_chroot(system)
            system.run("dpkg", "--purge", *reversed(PACKAGES))
        finally:
            run("umount", system.root / "proc", system.root / "dev")
        check_clean(before, system)


def test_machine():
    """on a machine they are used at once, upgraded, removed and purged, and leave nothing"""
    with System() as system, system.booted():
        before = system.snapshot()
        system.install()
        done = system.scan(user=65534)
        assert done.returncode == 1 and b"EICAR" in done.stdout, said(done)
        wait_until("yara", lambda: b"4 of 5" in system.run("pes", "status").stdout)
        status = system.run("pes", "status").stdout.decode()
        print("# " + status.replace("\n", "\n# "))
        # The unit leaves the sandboxes everything that they are made of.
        assert re.search(r"T2 uid, pid\+net\+ipc\+uts\+mnt namespaces, landlock", status), status
        assert "observe" in status
        log = system.run("journalctl", "--unit", "pes.service", "--priority", "warning", "--no-pager", "--quiet").stdout
        assert not log, log

        # When it is restarted pesd alone is told to end: the broker answers what is under way before it ends.
        broker, hosts = (system.run("pidof", name).stdout.decode().strip() for name in ("pes-broker", "pes-host"))
        system.run("sh", "-c", f"kill -STOP {hosts}")
        client = subprocess.Popen(system.command("ask_on", "once", "hello"), stdout=subprocess.PIPE, start_new_session=True)
        wait_until("a question", lambda: b"1 question," in system.run("pes", "status").stdout)
        system.run("systemctl", "restart", "--no-block", "pes.service")
        time.sleep(0.5)
        assert system.run("pidof", "pes-broker", check=False).stdout.decode().strip() == broker, "it did not wait"
        system.run("sh", "-c", f"kill -CONT {hosts}")
        said_last = client.communicate(timeout=30)[0]
        assert client.returncode == 0 and b" 0 failed" in said_last, said_last
        wait_until("a new broker", lambda: system.run("pidof", "pes-broker", check=False).stdout.decode().strip() not in ("", broker))

        # Off for a while, under the unit's restrictions, with the service and without.
        assert system.run("pes", "off", "--for", "1h").stdout.startswith(b"Nothing is stopped until")
        log = ["journalctl", "--no-pager", "--output=cat", "--grep=switched-off"]
        wait_until("both lines of the log", lambda: len(system.run(*log, check=False).stdout.splitlines()) == 2)
        assert system.run("pes", "off", "--for", "1h", check=False).returncode == 0
        system.run("pes", "on")
        wait_until("the end of it", lambda: b"Off:" not in system.run("pes", "status").stdout)

        # A provider comes and goes without the service being touched by hand.
        main_pid = system.run("systemctl", "show", "--property=MainPID", "pes.service").stdout
        system.run("dpkg", "--remove", "pes-provider-yara")
        wait_until("yara going", lambda: re.search(rb"yara.*: off", system.run("pes", "status").stdout))
        assert system.scan().returncode == 1 and system.scan(b"hello").returncode == 0
        system.install(["pes-provider-yara"])
        wait_until("yara coming back", lambda: b"4 of 5" in system.run("pes", "status").stdout)
        assert system.run("systemctl", "show", "--property=MainPID", "pes.service").stdout == main_pid

        # One that is off until it is enabled, and brings the service a right that it needs.
        system.run("dpkg", "--remove", "pes-provider-clamav")
        enable = ["-e", "/^enabled = no/d", "-e", 's/^definitions = .*/definitions = "clamav"/']
        system.run("sed", "-i", *enable, "/etc/pes/providers.d/clamav.conf")
        system.install(["pes-provider-clamav"])
        system.scan()
        wait_until("clamav", lambda: b"5 of 5" in system.run("pes", "status").stdout)
        log = system.run("journalctl", "--unit", "pes.service", "--no-pager", "--output=cat").stdout
        assert b"gets no folder for temporary files" not in log, log

        # One that hangs is ended although pesd may not signal everybody.
        broker = system.run("pidof", "pes-broker").stdout.decode().strip()
        system.run("sh", "-c", f"kill -STOP {broker}")
        system.run("systemctl", "stop", "pes.service")
        assert system.run("pidof", "pes-broker", check=False).returncode != 0
        assert b"Result=success" in system.run("systemctl", "show", "--property=Result", "pes.service").stdout
        assert system.scan().returncode == 1, "the question does not start the service"

        # Removed and not purged is as not installed; purged is as if it had never been.
        system.run("dpkg", "--remove", *(name for name in reversed(PACKAGES) if name.startswith("pes-provider-")), "pes")
        assert (system.root / "etc/pes/pes.conf").exists()
        answer = system.run("ask_on", "once", "hello", check=False).stdout
        assert b"failed after" in answer, answer
        assert system.run("systemctl", "is-active", "pes.socket", check=False).returncode != 0
        system.run("dpkg", "--purge", *reversed(PACKAGES))
        check_clean(before, system)


RULES = """rule eicar { meta: pes_sample = "proof-of-life" strings: $a = "EICAR-STANDARD-" $b = "proof-of-life" condition: any of them }
rule more { strings: $a = "second-marker" condition: $a }
"""


def result(system, unit):
    return system.run("systemctl", "show", "--property=Result", "--value", unit).stdout.decode().strip()


def update(system, rules):
    """What the timer does, with other rules in the mirror."""
    (system.root / "srv/mirror/rules.yar").write_text(rules)
    system.run("systemctl", "start", "pes-update@yara.service", check=False)
    unit = "pes-update-try@yara.service"
    state = ["systemctl", "show", "--property=ActiveState", "--value"]
    wait_until("the trial", lambda: system.run(*state, unit).stdout.strip() in (b"inactive", b"failed"), 60)


def test_updates():
    """on a machine definitions are fetched by nobody in particular, tried, served, refused when they are bad, and purged"""
    with System() as system, system.booted():
        before = system.snapshot()
        system.install()
        assert system.scan().returncode == 1
        (system.root / "srv/mirror").mkdir()
        (system.root / "etc/pes/updates.d/yara.conf").write_text('folder = "/srv/mirror"\n')
        # The first ones have to be there before they are configured.
        update(system, RULES)
        log = system.run("journalctl", "--unit", "pes-update*", "--no-pager", "--output=cat").stdout.decode()
        assert result(system, "pes-update@yara.service") == "success" and "1 of 1 files are new" in log, log
        assert "not tried: no provider 'yara' reads them" in log, log
        staging = system.root / "var/lib/private/pes/definitions/yara/staging"
        assert staging.stat().st_uid >= 61184 and (staging / "rules.yar").stat().st_uid == staging.stat().st_uid
        store = system.root / "var/lib/pes/definitions/yara"
        assert (store / "current/rules.yar").stat().st_uid == 0
        system.run("sed", "-i", 's,^definitions = .*,definitions = "/var/lib/pes/definitions/yara/current",', "/etc/pes/providers.d/yara.conf")
        system.run("systemctl", "reload", "pes.service")
        wait_until("the new rules", lambda: b"more" in system.scan(b"second-marker").stdout)
        # One that finds more is served, one that does not load is not, and nobody notices.
        update(system, RULES.replace("second-marker", "third-marker"))
        assert result(system, "pes-update-try@yara.service") == "success" and b"more" in system.scan(b"third-marker").stdout
        update(system, "rule broken { condition: $nothing }\n")
        assert result(system, "pes-update-try@yara.service") == "exit-code" and b"more" in system.scan(b"third-marker").stdout
        assert b"Definitions: yara: the last change of its definitions was not taken" in system.run("pes", "status").stdout
        # What does not come is no update.
        (system.root / "srv/mirror/deep").mkdir()
        update(system, RULES)
        assert result(system, "pes-update@yara.service") == "exit-code"
        system.run("systemctl", "enable", "--now", "--quiet", "pes-update@yara.timer")
        assert b"pes-update@yara.timer" in system.run("systemctl", "list-timers", "--no-pager").stdout
        system.run("systemctl", "disable", "--now", "--quiet", "pes-update@yara.timer")
        (system.root / "etc/pes/updates.d/yara.conf").unlink()
        shutil.rmtree(system.root / "srv/mirror")
        system.run("dpkg", "--purge", *reversed(PACKAGES))
        check_clean(before, system)


def test_upgrade():
    """an upgrade while everybody asks fails no question"""
    with System() as system, system.booted():
        system.install()
        system.scan()
        broker = system.run("pidof", "pes-broker").stdout
        debs = system.copy_debs(newer())
        clients = []
        for how, user in (("stay", 65534), ("anew", 65534), ("stay", 1), ("anew", 0)):
            command = system.command("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "ask_on", how)
            clients.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True))
        time.sleep(0.5)
        done = system.run("dpkg", "-i", *debs, check=False)
        assert done.returncode == 0, said(done)
        wait_until("the restart", lambda: system.run("pidof", "pes-broker", check=False).stdout not in (b"", broker))
        assert system.scan().returncode == 1
        n_asked = 0
        for client in clients:
            text = client.communicate(timeout=30)[0].decode()
            print("# " + text.splitlines()[-1])
            assert ", 0 failed" in text and client.returncode == 0, text
            n_asked += int(text.split()[0])
        assert n_asked > 1000, n_asked
        versions = system.run("dpkg-query", "-W", "-f", "${Version}\n", *PACKAGES).stdout.decode().split()
        assert all(version.endswith("+newer") for version in versions), versions


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
