#!/usr/bin/env python3
"""Whoever connects and hangs up in a loop does not keep other users' programs from being identified.

Runs beside a private daemon (tools/private_pes run --config app-rules). A rule for pes holds only while the broker
knows that it is pes who asks; while it knows that, a rule for another program does not hold.
"""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
SCANS = 30
FLOODERS = 2


def flood(path):
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            with contextlib.suppress(OSError):
                client.connect(path)


@contextlib.contextmanager
def flooders():
    """Processes of another user, where we may make some."""
    path = os.path.join(os.environ["PES_RUNTIME_DIR"], "pes.sock")
    pids = []
    for _ in range(FLOODERS):
        pid = os.fork()
        if pid == 0:
            if os.geteuid() == 0:
                os.setgid(1)
                os.setuid(1)
            flood(path)
        pids.append(pid)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def actions(kind):
    """What was answered to so many questions about a bad file."""
    command = ["pes", "scan", "--json", "--kind", kind, "-"]
    # As the daemon's user: without privileges it can look at no other's programs.
    owner = os.stat(os.environ["PES_RUNTIME_DIR"])
    user, group = (owner.st_uid, owner.st_gid) if os.geteuid() == 0 else (None, None)
    found = []
    for _ in range(SCANS):
        result = subprocess.run(
            command, input=EICAR, stdout=subprocess.PIPE, user=user, group=group, check=False
        )
        found.append(json.loads(result.stdout)["action"])
    return found


def check():
    assert actions("script.shell") == ["stop"] * SCANS
    assert actions("document.pdf") == ["go"] * SCANS


def test_rules_hold_in_quiet():
    """a rule for a program holds for it and for no other"""
    check()


def test_rules_hold_in_a_flood():
    """and so it is while another user floods the broker with connections"""
    if os.geteuid() != 0:
        tap.skip("needs root, to be another user")
    with flooders():
        check()


if __name__ == "__main__":
    tap.run(globals())
