#!/usr/bin/env python3
"""`pes off`: for a while nothing is stopped, with the service and without it, and it ends by itself."""
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

MAIN = 'mode = enforce\nfail-execution = deny\nrule "x" { kind = "command.*" mode = enforce }\n'


def start():
    return daemon.Pesd(config=daemon.config_folder(MAIN, {"eicar": 'module = "eicar.so"\n'}))


def run(pesd, *arguments, **more):
    """Runs pes as the service's user, whose own the switch is."""
    if pesd.is_user and daemon.account():
        more.setdefault("user", daemon.account().pw_name)
    return pesd.run("pes", *arguments, **more)


def pes(pesd, *arguments, status=0, **more):
    done = run(pesd, *arguments, **more)
    assert done.returncode == status, done
    return (done.stdout + done.stderr).decode()


def kind_scan(pesd, content=daemon.EICAR, kind="command.pasted"):
    return json.loads(run(pesd, "scan", "--json", "--kind", kind, "-", input=content).stdout)


def off_of(pesd):
    return json.loads(run(pesd, "status", "--json").stdout)["off"]


def test_off_and_on():
    """nothing is stopped from `pes off` to `pes on`, and status says so"""
    with start().wait_ready() as pesd:
        assert kind_scan(pesd)["action"] == "stop"
        assert off_of(pesd) is None
        said = pes(pesd, "off", "--for", "1h")
        assert said.startswith("Nothing is stopped until "), said
        pesd.wait_log(r"switched-off: nothing is stopped for the next (3600|3599) s, by the word of uid \d+")
        for kind in ("command.pasted", "generic"):
            answer = kind_scan(pesd, kind=kind)
            assert (answer["action"], answer["mode"], answer["would"]) == ("go", "observe", "block"), answer
            assert answer["verdict"] == "test_sample", answer
        assert 3500 < off_of(pesd)["seconds_left"] <= 3600
        assert "Off:         nothing is stopped until " in pes(pesd, "status")
        # A new configuration does not end it.
        since = pesd.reload()
        pesd.wait_log("config-applied", since=since)
        assert kind_scan(pesd)["action"] == "go"
        assert pes(pesd, "on") == "The configured mode is in force again.\n"
        pesd.wait_log("switched-on: .*as somebody asked")
        assert kind_scan(pesd)["action"] == "stop"
        assert pes(pesd, "on") == "It was not switched off.\n"


def test_end():
    """it ends by itself, and a service that starts meanwhile keeps to it"""
    with start().wait_ready() as pesd:
        pes(pesd, "off", "--for", "2s")
        pesd.wait_log("switched-off")
        assert kind_scan(pesd)["action"] == "go"
        pesd.wait_log("switched-on: .*the time is over")
        assert kind_scan(pesd)["action"] == "stop" and not (pesd.runtime / "off").exists()
        pes(pesd, "off", "--for", "10m")
        pesd.wait_log("switched-off.*60[0-9] s|switched-off.*59[0-9] s")
        assert pesd.stop() == 0
        with daemon.Pesd(runtime=pesd.runtime, config=daemon.config_folder(MAIN, {"eicar": 'module = "eicar.so"\n'})) as next_one:
            next_one.wait_ready()
            next_one.wait_log("switched-off")
            assert kind_scan(next_one)["action"] == "go"


def test_dead():
    """without the service the client policy stops nothing either, until the time is over"""
    with start().wait_ready() as pesd:
        assert pesd.stop() == 0
        pesd.policy.write_text(pesd.policy.read_text() + "down = deny\n")
        assert kind_scan(pesd, b"ls")["action"] == "stop"
        pes(pesd, "off", "--for", "3s")
        begin = time.monotonic()
        answer = kind_scan(pesd, b"ls")
        assert answer["action"] == "go" and answer["error"] and answer["disposition"] == "allow_and_report", answer
        assert "Off:         nothing is stopped" in pes(pesd, "status", status=2)
        while kind_scan(pesd, b"ls")["action"] != "stop":
            assert time.monotonic() < begin + 30
            time.sleep(0.1)
        assert time.monotonic() > begin + 1.5


def test_strangers():
    """nobody else can do it, and what somebody else wrote is not believed"""
    if os.geteuid() != 0:
        tap.skip("needs root")
    with daemon.Pesd(config=daemon.config_folder(MAIN + USERS, {"eicar": 'module = "eicar.so"\n'}), user=False) as pesd:
        pesd.wait_ready()
        said = pes(pesd, "off", "--for", "1h", status=2, user="nobody")
        assert "only the service's user may do this" in said, said
        state = pesd.runtime / "off"
        with open("/proc/uptime") as uptime:
            until = int(float(uptime.read().split()[0])) + 1000
        forged = pesd.runtime / "forged"
        forged.write_text(f"until {until}\nuid 0\n")
        os.chown(forged, 65534, 65534)
        forged.rename(state)
        pesd.wait_log("/off' is not believed, and nothing is switched off")
        assert kind_scan(pesd)["action"] == "stop" and off_of(pesd) is None
        os.chown(state, 0, 0)
        state.chmod(0o644)
        os.utime(state)
        state.rename(forged)
        forged.rename(state)
        pesd.wait_log("switched-off")
        assert kind_scan(pesd)["action"] == "go"


USERS = "users { broker = 64001 identity = 64002 receiver = 64003 provider-base = 64016 }\n"

if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
