#!/usr/bin/env python3
"""System mode: root starts it, and no process keeps a right that it doesn't need. Needs root; uids are numbers."""
import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

BROKER, IDENTITY, RECEIVER, BASE = 64001, 64002, 64003, 64016
USERS = f"users {{ broker = {BROKER} identity = {IDENTITY} receiver = {RECEIVER} provider-base = {BASE} }}\n"
PROVIDERS = {"eicar": 'module = "eicar.so"\n', "other": 'module = "eicar.so"\n'}
CAP_SYS_PTRACE = 1 << 19


def start(main="", providers=None, **more):
    config = daemon.config_folder(USERS + main, PROVIDERS if providers is None else providers)
    pesd = daemon.Pesd(config=config, user=False, **more)
    pesd.config = config
    return pesd


def need_root():
    if os.geteuid() != 0:
        tap.skip("needs root")


def uids(pid):
    return [int(word) for word in daemon.status_of(pid)["Uid"].split()]


def one(pids):
    assert len(pids) == 1, pids
    return pids[0]


def test_rights():
    """each process has its own uid, and none a capability but identity the one that it needs"""
    need_root()
    with start().wait_ready() as pesd:
        answer = pesd.scan()
        assert answer["verdict"] == "test_sample" and answer["coverage"] == "full", answer
        for program, uid, capabilities in (
            ("pes-broker", BROKER, 0),
            ("pes-identity", IDENTITY, CAP_SYS_PTRACE),
        ):
            status = daemon.status_of(one(pesd.pids_of(program)))
            assert status["Uid"].split() == [str(uid)] * 4 and status["Gid"].split() == [str(uid)] * 4, status
            assert status["Groups"] == "", status
            for name in ("CapEff", "CapPrm", "CapBnd"):
                assert int(status[name], 16) == capabilities, (program, name, status[name])
            assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
        used = set()
        for name in PROVIDERS:
            init = one(pesd.pids_of("pes-init", name))
            hosts = [pid for pid in daemon.descendants(init) if daemon.command_of(pid)[0].endswith(b"pes-host")]
            assert len(hosts) >= 2, hosts
            for pid in hosts:
                status = daemon.status_of(pid)
                assert len(set(uids(pid))) == 1 and BASE <= uids(pid)[0] < BASE + 32, status
                assert int(status["CapEff"], 16) == 0 and status["Groups"] == "", status
                assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
            used |= {uids(pid)[0] for pid in hosts}
        assert len(used) == 2, used
        watch = daemon.Watch(daemon.descendants(pesd.pid))
        assert pesd.stop() == 0
        assert not watch.wait(1)


def test_sockets():
    """everybody may ask, only root may administrate, nobody but root may touch the folder"""
    need_root()
    with start().wait_ready() as pesd:
        modes = {entry.name: entry.stat().st_mode & 0o7777 for entry in pesd.runtime.iterdir()}
        assert modes == {"pes.sock": 0o666, "admin.sock": 0o600, "lock": 0o600}, modes
        assert pesd.runtime.stat().st_mode & 0o7777 == 0o755
        answer = pesd.scan(user="nobody")
        assert answer["verdict"] == "test_sample", answer
        assert pesd.status()["system"] is True
        connect = "import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(sys.argv[1])"
        for name, user, works in (("pes.sock", "nobody", True), ("admin.sock", "nobody", False)):
            done = pesd.run("/usr/bin/python3", "-c", connect, pesd.runtime / name, user=user)
            assert (done.returncode == 0) == works, done


def test_identity():
    """another user's program is known for what it is: a rule for it holds, a claim does not help"""
    need_root()
    rule = 'mode = observe\nrule "x" { app = asker mode = enforce }\n'
    with start(rule).wait_ready() as pesd:
        asker = pesd.top / "asker"
        shutil.copy(daemon.stage() / "bin" / "pes", asker)
        done = pesd.run(asker, "scan", "--json", "-", input=daemon.EICAR, user="nobody")
        assert json.loads(done.stdout)["mode"] == "enforce" and done.returncode == 1, done
        done = pesd.run("pes", "scan", "--json", "--app", "asker", "-", input=daemon.EICAR, user="nobody")
        assert json.loads(done.stdout)["mode"] == "observe", done


def test_receiver():
    """the receiver and its relays have a uid of their own and no capability"""
    need_root()
    with start(env={"PES_FORCE_RECEIVER": "1"}).wait_ready() as pesd:
        status = daemon.status_of(one(pesd.pids_of("pes-receiver")))
        assert status["Uid"].split() == [str(RECEIVER)] * 4 and int(status["CapBnd"], 16) == 0, status
        answer = pesd.scan(user="nobody")
        assert answer["verdict"] == "test_sample", answer


def test_uid_reuse():
    """a provider that comes while another one ends never gets its uid"""
    need_root()
    with start().wait_ready() as pesd:
        config = pesd.config
        first = {uids(pid)[0] for pid in daemon.descendants(one(pesd.pids_of("pes-init", "eicar")))} - {0}
        daemon.write_config(config, USERS, {"a-new-one": 'module = "eicar.so"\n', "other": 'module = "eicar.so"\n'})
        pesd.reload()
        pesd.wait_log("pes-broker: .*'a-new-one' generation 1 serves")
        new = {uids(pid)[0] for pid in daemon.descendants(one(pesd.pids_of("pes-init", "a-new-one")))} - {0}
        assert new and not first & new, (first, new)


def test_owners():
    """configuration and modules that others could have written are refused"""
    need_root()
    with start() as pesd:
        config = pesd.config
        pesd.wait_ready()
        (config / "pes.conf").chmod(0o666)
        os.chown(config / "providers.d" / "eicar.conf", 65534, 65534)
        since = pesd.reload()
        pesd.wait_log("pes.conf: others may write it; chmod go-w it", since=since)
        pesd.wait_log("eicar.conf: belongs to uid 65534; it must belong to root", since=since)
    top = daemon.folder()
    for name in ("writable", "foreign", "fine"):
        (top / name).mkdir()
        shutil.copy(daemon.providers_folder() / "eicar.so", top / name / "eicar.so")
    (top / "writable" / "eicar.so").chmod(0o666)
    os.chown(top / "foreign" / "eicar.so", 65534, 65534)
    (top / "open").mkdir(0o755)
    (top / "open").chmod(0o777)
    shutil.copy(daemon.providers_folder() / "eicar.so", top / "open" / "eicar.so")
    names = ("writable", "foreign", "fine", "open")
    with start(providers={name: f'module = "{top}/{name}/eicar.so"\n' for name in names}).wait_ready() as pesd:
        for name in ("writable", "foreign"):
            pesd.wait_log(f"'{name}' is not started: 'the module must belong to root and be writable by root alone'")
        pesd.wait_log("'open' is not started: 'its folder must belong to root and be writable by root alone'")
        pesd.wait_log("'fine' is ready")


def test_users():
    """users that do not exist, are root, or are shared are refused"""
    need_root()
    for text, problem in (
        ("users { broker = no-such-user }", r"users { broker }: there is no user 'no-such-user'"),
        (f"users {{ broker = root identity = {IDENTITY} receiver = {RECEIVER} }}", "broker }: must not be root"),
        ("users { broker = 5 identity = 5 receiver = 6 }", "must be different users"),
        (
            f"users {{ broker = 70 identity = {IDENTITY} receiver = {RECEIVER} provider-base = 60 }}",
            "the 32 uids from provider-base on are for providers alone",
        ),
    ):
        with daemon.Pesd(config=daemon.config_folder(text, PROVIDERS), user=False) as pesd:
            assert pesd.wait_exit() == 1
            pesd.wait_log(problem)


def test_ordinary_user():
    """without root and without --user it does not start, and says what to do"""
    need_root()
    with daemon.Pesd(user=False, before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]) as pesd:
        assert pesd.wait_exit() == 1
        pesd.wait_log("root is needed; give --user to run without")


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
