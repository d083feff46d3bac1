#!/usr/bin/env python3
"""Callers that are shut in: each gets the right answer, or one that says honestly why there is none.

A Flatpak-like sandbox, a user namespace where the broker's user is unknown, a hardened unit, and an application that
keeps a handful of system calls and a connection that it made before.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import system_mode
import tap
from supervision import is_found

CALLER = 4242  # some ordinary user, who is neither the broker nor nobody
EICAR = daemon.EICAR.decode()

NO_BROKER = "the pes service does not answer"
NOT_TRUSTED = "is not one that can be trusted"


def start(**more):
    """The service as it is on a machine: root's. Without root: one's own."""
    if os.geteuid() == 0:
        return system_mode.start("mode = enforce\n", **more).wait_ready()
    return daemon.Pesd(config=daemon.config_folder("mode = enforce\n", {"eicar": 'module = "eicar.so"\n'})).wait_ready()


def caller():
    return CALLER if os.geteuid() == 0 else None


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            tap.skip(f"needs {program}")


def ask(pesd, before, content=daemon.EICAR, env=None, **more):
    """`pes scan` behind some other program: exit status, answer, and what it complained of."""
    command = [*before, str(daemon.stage() / "bin" / "pes"), "scan", "--json", "-"]
    done = subprocess.run(
        [str(part) for part in command],
        input=content,
        capture_output=True,
        env=dict(pesd.client_env(), **(env or {})),
        user=caller(),
        timeout=60,
        check=False,
        cwd="/",
        **more,
    )
    lines = done.stdout.splitlines()
    assert lines, done
    return done.returncode, json.loads(lines[0]), done.stderr.decode()


def check_answers(pesd, before, **more):
    """What is to be found is found, and what is harmless is seen through; large content, too."""
    status, answer, said = ask(pesd, before, **more)
    assert status == 1 and is_found(answer), (status, answer, said)
    status, answer, said = ask(pesd, before, b"harmless\n" * 200000, **more)
    assert status == 0 and answer["verdict"] == "not_detected" and answer["coverage"] == "full", (status, answer, said)


def check_honest(pesd, before, error, **more):
    """No answer, and it is said why: nothing that could be taken for a good one."""
    status, answer, said = ask(pesd, before, **more)
    assert status not in (0, 1), (status, answer, said)
    assert answer["verdict"] in ("none", None) and answer["coverage"] == "not_examined", answer
    assert error in answer["error"], (answer, said)
    return said


# ------------------------------------------------------------------------------------------------------- bubblewrap


def bwrap(pesd, *socket_options, stage=True):
    """As Flatpak does it: every namespace, an empty root, no capability; what is needed is bound in."""
    options = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--proc", "/proc"]
    options += ["--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run"]
    for path in ("/usr", "/etc/ld.so.cache"):
        options += ["--ro-bind-try", path, path]
    for path in ("/lib", "/lib64", "/bin"):
        if pathlib.Path(path).is_symlink():
            options += ["--symlink", os.readlink(path), path]
        else:
            options += ["--ro-bind-try", path, path]
    options += ["--ro-bind", daemon.stage(), daemon.stage()] if stage else []
    options += ["--ro-bind", pesd.policy, pesd.policy]
    return options + list(socket_options)


def works(command):
    return subprocess.run(command, user=caller(), capture_output=True, check=False, cwd="/").returncode == 0


def need_bwrap(pesd):
    need("bwrap")
    if not works([str(part) for part in bwrap(pesd)] + ["/usr/bin/true"]):
        tap.skip("bwrap cannot make a user namespace here")


INSIDE = {"PES_RUNTIME_DIR": "/run/pes"}


def test_flatpak():
    """from inside a Flatpak-like sandbox with the runtime folder bound in, answers are right"""
    with start() as pesd:
        need_bwrap(pesd)
        for how in ("--ro-bind", "--bind"):
            check_answers(pesd, bwrap(pesd, how, pesd.runtime, "/run/pes"), env=INSIDE)


def test_flatpak_other_uid():
    """and so they are when the sandbox gives its user another number"""
    with start() as pesd:
        need_bwrap(pesd)
        check_answers(pesd, bwrap(pesd, "--uid", "1000", "--gid", "1000", "--ro-bind", pesd.runtime, "/run/pes"), env=INSIDE)


def test_flatpak_without():
    """without the folder it says that there is no broker, never that all is well"""
    with start() as pesd:
        need_bwrap(pesd)
        check_honest(pesd, bwrap(pesd), NO_BROKER, env=INSIDE)


def test_flatpak_socket_alone():
    """the socket alone, in a folder that the sandbox itself can write to, proves nothing: it is refused (C26)"""
    if os.geteuid() != 0:
        tap.skip("one's own broker is believed anyway; needs root")
    with start() as pesd:
        need_bwrap(pesd)
        check_honest(pesd, bwrap(pesd, "--bind", pesd.runtime / "pes.sock", "/run/pes/pes.sock"), NOT_TRUSTED, env=INSIDE)


def test_flatpak_stranger():
    """a broker that somebody else has put up where the sandbox looks is refused (C26)"""
    if os.geteuid() != 0:
        tap.skip("only root can become another user")
    with start() as pesd:
        need_bwrap(pesd)
        folder = daemon.folder()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as fake:
            fake.bind(str(folder / "pes.sock"))
            os.chmod(folder / "pes.sock", 0o666)
            pid = os.fork()
            if pid == 0:  # whoever calls listen() is whom clients see
                os.setuid(1234)
                fake.listen()
                signal.pause()
            try:
                while b"not listening" in subprocess.run(
                    [sys.executable, "-c", PROBE, str(folder / "pes.sock")], capture_output=True, check=True
                ).stdout:
                    pass
                check_honest(pesd, [], NOT_TRUSTED, env={"PES_RUNTIME_DIR": str(folder)})
                os.chown(folder, CALLER, CALLER)
                check_honest(pesd, bwrap(pesd, "--bind", folder, "/run/pes"), NOT_TRUSTED, env=INSIDE)
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


PROBE = """
import socket, sys
try:
    socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(sys.argv[1])
except ConnectionRefusedError:
    print("not listening")
"""


# --------------------------------------------------------------------------------------------------- user namespaces


def test_unmapped():
    """in a rootless user namespace where neither the broker's user nor one's own has a name, answers are right"""
    need("unshare")
    with start() as pesd:
        if not works(["unshare", "--user", "true"]):
            tap.skip("no user namespaces for ordinary users here")
        if os.geteuid() != 0:
            tap.skip("the folder of one's own broker is one's own; needs root")
        check_answers(pesd, ["unshare", "--user"])


def test_mapped_to_root():
    """and so they are for whoever is root inside, as in a rootless container"""
    need("unshare")
    with start() as pesd:
        if not works(["unshare", "--user", "--map-root-user", "true"]):
            tap.skip("no user namespaces for ordinary users here")
        if os.geteuid() != 0:
            tap.skip("the folder of one's own broker is one's own; needs root")
        namespaces = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--net", "--ipc", "--uts", "--time"]
        check_answers(pesd, ["unshare", *namespaces])


def test_own_broker_unmapped():
    """where one's own broker has lost its name, it is a stranger like any other: refused, and said so (C26)"""
    need("unshare")
    config = daemon.config_folder("", {"eicar": 'module = "eicar.so"\n'})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        user = daemon.account().pw_uid if daemon.account() else None
        command = ["unshare", "--user", str(daemon.stage() / "bin" / "pes"), "scan", "--json", "-"]
        if subprocess.run(["unshare", "--user", "true"], user=user, capture_output=True, check=False).returncode != 0:
            tap.skip("no user namespaces for ordinary users here")
        pesd.policy.write_text("")
        done = pesd.run(*command, input=daemon.EICAR, user=user)
        answer = json.loads(done.stdout.splitlines()[0])
        assert NOT_TRUSTED in answer["error"] and answer["verdict"] in ("none", None), (answer, done)


# ------------------------------------------------------------------------------------------------------ hardened units

# What a hardened unit comes down to, for the caller: systemd.exec(5). Systemd itself does it where it runs.
UNIT = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "PrivateNetwork": "yes",
    "PrivateUsers": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "ProtectProc": "invisible",
    "ProtectKernelTunables": "yes",
    "RestrictNamespaces": "yes",
    "MemoryDenyWriteExecute": "yes",
    "RestrictAddressFamilies": "AF_UNIX",
    "SystemCallFilter": "@system-service",
    "LimitNOFILE": "32",
}


def emulated_unit(*more):
    """The same by hand: read-only root, no network, no capability, no new rights, few descriptors and processes."""
    inside = 'mount -o remount,bind,ro / && mount -t tmpfs none /root && exec "$@"'
    return [
        *("prlimit", "--nofile=32", "--nproc=64", "--core=0", "--memlock=0", "--fsize=1048576"),
        *("unshare", "--mount", "--net", "--ipc", "--uts", "--propagation", "private"),
        *("sh", "-c", inside, "sh"),
        *("setpriv", f"--reuid={CALLER}", f"--regid={CALLER}", "--clear-groups", "--no-new-privs"),
        *("--inh-caps=-all", "--bounding-set=-all", "--ambient-caps=-all"),
        *more,
    ]


def ask_as_root(pesd, before, content=daemon.EICAR):
    command = [*before, daemon.stage() / "bin" / "pes", "scan", "--json", "-"]
    done = pesd.run(*command, input=content)
    assert done.stdout, done
    return done.returncode, json.loads(done.stdout.splitlines()[0])


def check_unit(pesd, before):
    status, answer = ask_as_root(pesd, before)
    assert status == 1 and is_found(answer), (status, answer)
    status, answer = ask_as_root(pesd, before, b"harmless\n" * 100000)
    assert status == 0 and answer["coverage"] == "full", (status, answer)


def test_hardened_unit():
    """from a service that gave up what a hardened unit gives up, answers are right"""
    need("prlimit", "unshare", "setpriv")
    if os.geteuid() != 0:
        tap.skip("needs root")
    with start() as pesd:
        check_unit(pesd, emulated_unit(os.environ["PES_DENY"], "unshare", "landlock", "--"))


def test_hardened_unit_of_systemd():
    """the same by systemd itself, where it runs"""
    need("systemd-run")
    if os.geteuid() != 0 or not pathlib.Path("/run/systemd/system").exists():
        tap.skip("needs root and a running systemd")
    with start() as pesd:
        options = [f"--property={name}={value}" for name, value in UNIT.items()]
        options += [f"--setenv={name}={pesd.client_env()[name]}" for name in ("LD_LIBRARY_PATH", "PES_RUNTIME_DIR", "PES_CLIENT_POLICY")]
        check_unit(pesd, ["systemd-run", "--quiet", "--pipe", "--wait", f"--uid={CALLER}", *options])


def test_no_unix_sockets():
    """a unit that may not make unix sockets is told that, not that all is well"""
    if not os.environ.get("PES_DENY"):
        tap.skip("needs the program deny")
    with start() as pesd:
        for call in ("socket", "address-family"):
            said = check_honest(pesd, [os.environ["PES_DENY"], call, "--"], NOT_TRUSTED)
            assert "in a sandbox, let in AF_UNIX" in said, said


# --------------------------------------------------------------------------------- a connection that was made before


class Fixed:
    """tests/support/ask_fixed.c: connects, keeps a few system calls, then asks."""

    def __init__(self, pesd, *without):
        self.process = subprocess.Popen(
            [os.environ["PES_ASK_FIXED"], *without],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=pesd.client_env(),
            user=caller(),
        )

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().split(None, 4)

    def end(self):
        self.process.stdin.close()
        return self.process.wait(30)


def test_preopened():
    """an application that may neither open nor connect any more asks over a connection that it made before"""
    with start() as pesd:
        app = Fixed(pesd)
        for _ in range(3):
            for text, verdict in ((EICAR, "test_sample"), ("harmless", "not_detected")):
                for line in (text, "large" + text):
                    said = app.ask(line)
                    # A finding is told at once, before everybody has answered.
                    coverages = ("full", "partial_providers") if text == EICAR else ("full",)
                    assert said[:3] == ["0", "0", verdict] and said[3] in coverages, (line, said)
        assert app.end() == 0
        app = Fixed(pesd, "sendmsg")  # the filter is there, and what it lacks ends the process
        assert app.ask("harmless") == []
        assert app.end() == -signal.SIGSYS


def test_preopened_list():
    """the calls that the documentation lists are those that it keeps"""
    source = (daemon.SOURCE / "tests" / "support" / "ask_fixed.c").read_text()
    kept = re.findall(r"CALL\((\w+)\)", source[source.index("libpes; ") : source.index("what this program itself")])
    page = (daemon.SOURCE / "docs" / "sandboxed-callers.md").read_text()
    listed = re.search(r"^    (sendmsg .*)$", page, re.MULTILINE)[1].split()
    assert listed == kept, (listed, kept)


def test_preopened_upgrade():
    """after an upgrade of the broker, which it cannot follow, it is told so: no crash, no good answer"""
    with start() as pesd:
        app = Fixed(pesd)
        assert app.ask("harmless")[1:4] == ["0", "not_detected", "full"]
        pesd.process.send_signal(signal.SIGUSR2)
        pesd.wait_log("upgrade: pes-broker is upgraded, in ")
        for _ in range(2):
            said = app.ask(EICAR)
            assert int(said[1]) != 0 and said[2:4] == ["none", "not_examined"], said
            assert re.search("the pes service", said[4]), said
        assert app.end() == 0
        assert is_found(pesd.scan())


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
