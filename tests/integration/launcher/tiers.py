#!/usr/bin/env python3
"""Sandbox tiers: what is shown where primitives are missing, and that nothing starts below the configured one."""
import itertools
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

USERS = "users { broker = 64001 identity = 64002 receiver = 64003 provider-base = 64016 }\n"
PROVIDERS = {"eicar": 'module = "eicar.so"\n'}
PRIMITIVES = ("unshare", "landlock")
NATURAL = 2


def without(missing):
    return [os.environ["PES_DENY"], *missing, "--"]


def tier_of(missing):
    return 0 if "landlock" in missing else 1 if "unshare" in missing else NATURAL


def modes():
    """Whether user mode, for each mode that can be had here."""
    return (True, False) if os.geteuid() == 0 else (True,)


def start(is_user, missing, min_tier):
    main = ("" if is_user else USERS) + f"min-tier = {min_tier}\n"
    config = daemon.config_folder(main, PROVIDERS)
    pesd = daemon.Pesd(config=config, user=is_user, before=without(missing))
    pesd.config = config
    pesd.main = main
    return pesd


def need_all():
    with daemon.Pesd() as pesd:
        pesd.wait_ready()
        if not pesd.status()["tier"].startswith(f"T{NATURAL} "):
            tap.skip("this machine itself has less than tier T2")


def provider(pesd):
    (one,) = json.loads(pesd.run("pes", "providers", "--json").stdout)["providers"]
    return one


def each():
    for is_user in modes():
        for n in range(len(PRIMITIVES) + 1):
            for missing in itertools.combinations(PRIMITIVES, n):
                yield is_user, missing


def test_shown():
    """E9 R20: with any primitives missing the tier is shown, and what can be had serves"""
    need_all()
    for is_user, missing in each():
        with start(is_user, missing, tier_of(missing)).wait_ready() as pesd:
            word = f"T{tier_of(missing)} "
            assert pesd.status()["tier"].startswith(word), (missing, pesd.status()["tier"])
            assert f"Sandboxes:   {word}".encode() in pesd.run("pes", "status").stdout
            assert pesd.scan()["verdict"] == "test_sample", missing
            print(f"# {'user' if is_user else 'system'} mode without {missing or 'nothing'}: {pesd.status()['tier']}")


def test_refused():
    """E9 R20: below min-tier no provider starts, and it says why; nothing counts as clean"""
    need_all()
    for is_user, missing in each():
        for min_tier in range(tier_of(missing) + 1, NATURAL + 1):
            with start(is_user, missing, min_tier).wait_ready() as pesd:
                one = provider(pesd)
                assert one["state"] != "ready", (missing, one)
                assert f"of tier T{tier_of(missing)}, and min-tier is {min_tier}" in one["reason"], one
                assert not pesd.pids_of("pes-init")
                answer = pesd.scan()
                assert answer["coverage"] == "not_examined" and answer["verdict"] == "none", answer
                assert answer["decided_by"] == "fail_policy", answer


def test_reload():
    """R20: a min-tier that is raised ends what serves below it, and lowered again it serves"""
    need_all()
    with start(True, ("unshare",), 1).wait_ready() as pesd:
        assert pesd.scan()["verdict"] == "test_sample"
        daemon.write_config(pesd.config, "min-tier = 2\n", PROVIDERS)
        since = pesd.reload()
        pesd.wait_log("provider 'eicar' is not started: 'its sandbox would be of tier T1", since=since)
        assert pesd.scan()["coverage"] == "not_examined"
        daemon.write_config(pesd.config, "min-tier = 1\n", PROVIDERS)
        since = pesd.reload()
        pesd.wait_log("provider 'eicar' is ready", since=since)
        assert pesd.scan()["verdict"] == "test_sample"


def test_out_of_range():
    """A9: a tier that does not exist is refused with the range"""
    for value in ("3", "-1", "T2"):
        config = daemon.config_folder(f"min-tier = {value}\n", PROVIDERS)
        with daemon.Pesd(config=config) as pesd:
            assert pesd.wait_exit() != 0
            pesd.wait_log("pes.conf:1: min-tier")


def test_control_groups():
    """T3: control groups of providers"""
    controllers = pathlib.Path("/sys/fs/cgroup/cgroup.controllers")
    if not controllers.exists() or not {"memory", "pids"} <= set(controllers.read_text().split()):
        tap.skip("this machine delegates no control groups (cgroup v2 with memory and pids)")
    tap.skip("tier T3 is not built yet")


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
