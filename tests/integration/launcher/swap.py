#!/usr/bin/env python3
"""A serial swap: with no room for two generations the old one ends first, and comes back if the new one fails."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

LIMIT_BYTES = 2 << 30
HOLD_MIB = 1100
MAIN = 'module = "scripted.so"\nworkers = 1\n'
GROUPS = (
    (pathlib.Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
    (pathlib.Path("/sys/fs/cgroup"), "memory.max", "memory.peak"),
)


class Group:
    """A control group with 2 GB of memory."""

    def __init__(self):
        for top, limit, peak in GROUPS:
            path = top / f"pes-test-{os.getpid()}"
            try:
                path.mkdir()
            except OSError:
                continue
            try:
                (path / limit).write_text(f"{LIMIT_BYTES}\n")
                self.path, self.peak, self.limit = path, path / peak, limit
                return
            except OSError:
                path.rmdir()
        tap.skip("no control group with a limit of memory can be made here")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.path.rmdir()  # fails if something of ours still runs

    def pesd(self, config):
        enter = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', self.path]
        return daemon.Pesd(config=config, before=enter)


class Asker(daemon.Asker):
    """One that keeps the exit status, too."""

    def question(self):
        done = self.pesd.run("pes", "scan", "--json", "-", input=daemon.EICAR)
        return done.returncode, daemon_json(done.stdout)

    def check(self):
        """Every question was answered, with the part of a provider in full or `restarting`, and both happened."""
        seen = set()
        for code, answer in self.answers:
            (part,) = answer["providers"]
            seen.add(part["status"])
            if part["status"] == "ok":
                assert answer["coverage"] == "full", (code, answer)
            else:
                assert answer["verdict"] not in ("not_detected", "known_good") and code != 0, (code, answer)
        assert seen == {"ok", "restarting"}, seen


def daemon_json(text):
    import json

    assert text, "a question was not answered"
    return json.loads(text.splitlines()[0])


def options(config, *items, more=""):
    listed = ", ".join(f'"{item}"' for item in items)
    daemon.write_config(config, "", {"scripted": MAIN + more + f"options = {{{listed}}}\n"})


def row(pesd):
    return pesd.status()["providers"][0]


def version(pesd):
    """Of the definitions that answer now."""
    return pesd.scan()["providers"][0]["definitions"]


def serves(pesd, number, since):
    pesd.wait_log(f"pes-broker: .*'scripted' generation {number} serves", since=since, seconds=120)


def test_two_gigabytes():
    """in 2 GB, definitions of more than 1 GB are swapped one after the other; clients see `restarting` only"""
    config = daemon.config_folder("", {})
    options(config, f"hold={HOLD_MIB}", "version=1", more='load-timeout = "2 min"\n')
    with Group() as group, group.pesd(config) as pesd:
        pesd.wait_ready(seconds=120)
        with Asker(pesd) as asker:
            options(config, f"hold={HOLD_MIB}", "version=2", more='load-timeout = "2 min"\n')
            since = pesd.reload()
            match = pesd.wait_log("generation 1 of provider 'scripted' is ended: .* takes ([0-9]+) MiB, and ([0-9]+) MiB are free", since=since)
            print(f"# measured: {match[1]} MiB taken, {match[2]} MiB free")
            assert int(match[1]) >= HOLD_MIB and int(match[2]) < 2048 - HOLD_MIB, match
            serves(pesd, 2, since)
            # The third doesn't pass: the second one is loaded again.
            options(config, f"hold={HOLD_MIB}", "version=3", "always=found Any malicious", more='load-timeout = "2 min"\n')
            since = pesd.reload()
            pesd.wait_log("generation 3 of provider 'scripted' is given up, what served before is loaded again: 'self-test: it objects", since=since, seconds=120)
            serves(pesd, 4, since)
            assert version(pesd) == "2" and row(pesd)["state"] == "ready", row(pesd)
            assert "the one before is loaded again: self-test: it objects" in row(pesd)["reason"], row(pesd)
            peak = int(group.peak.read_text())
            print(f"# peak of the control group: {peak >> 20} MiB, {len(asker.answers)} questions")
            assert HOLD_MIB << 20 < peak < 2 * HOLD_MIB << 20, peak
            assert "restarting" not in pesd.scan()["providers"][0]["status"]
        asker.check()


def test_room_for_two():
    """with room for two nothing is ended first; `parallel` and `serial` say it outright"""
    config = daemon.config_folder("", {})
    options(config, "version=1")
    with daemon.Pesd(config=config).wait_ready() as pesd:
        since = len(pesd.lines)
        for number, more in ((2, ""), (3, "swap = parallel\n")):
            options(config, f"version={number}", more=more)
            pesd.reload()
            serves(pesd, number, since)
        assert not any("is ended: it makes room" in line for line in pesd.lines)
        options(config, "version=4", more="swap = serial\n")
        since = pesd.reload()
        pesd.wait_log("is ended: it makes room for the next generation, as swap = serial says", since=since)
        serves(pesd, 4, since)
        options(config, "version=5", more="swap = sometimes\n")
        since = pesd.reload()
        pesd.wait_log("scripted.conf:3: swap.*sometimes.*parallel", since=since)


def test_every_failure_restores():
    """a serial swap into what does not load, crashes, or fails its own sample loads what was before"""
    config = daemon.config_folder("", {})
    options(config, "version=good", more="swap = serial\n")
    with daemon.Pesd(config=config).wait_ready() as pesd:
        number = 1
        for bad in ("load=fail", "load=crash SEGV", "crash-at=3", "selftest=fail"):
            options(config, "version=bad", bad, more="swap = serial\n")
            since = pesd.reload()
            pesd.wait_log(f"generation {number + 1} of provider 'scripted' is given up, what served before", since=since)
            serves(pesd, number + 2, since)
            number += 2
            assert version(pesd) == "good", row(pesd)
        # A module that cannot even be started, and then a good one: the way out is the usual one.
        options(config, "version=better", more="swap = serial\n")
        since = pesd.reload()
        serves(pesd, number + 1, since)
        assert version(pesd) == "better" and "given up" not in (row(pesd)["reason"] or ""), row(pesd)


GOOD = """rule eicar { meta: pes_sample = "proof-of-life" strings: $a = "EICAR-STANDARD-" $b = "proof-of-life" condition: any of them }
"""


def test_update_rolls_back():
    """pes definitions update: what finds less than before is refused serially too, and the version before serves"""
    if not (daemon.providers_folder() / "yara.so").exists():
        tap.skip("built without yara")
    top = daemon.folder()
    rules, store = top / "rules.yar", top / "store"
    rules.write_text(GOOD)
    text = f'module = "yara.so"\nswap = serial\ndefinitions = "{store}/yara/current"\n'
    words = ["pes", "definitions", "update", "yara", "--from", rules, "--store", store]
    config = daemon.config_folder("", {"eicar": 'module = "eicar.so"\n'})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        assert pesd.run(*words).returncode == 0
        daemon.write_config(config, "", {"yara": text})
        since = pesd.reload()
        pesd.wait_log("'yara' generation 1 serves", since=since)
        first = os.readlink(store / "yara" / "current")
        for bad, why in ((GOOD.replace("EICAR", "RACIE"), b"lets the test string EICAR pass"), ("rule broken { condition: $x }\n", b".yar:1")):
            rules.write_text(bad)
            done = pesd.run(*words)
            assert done.returncode == 1 and why in done.stderr, done
            assert os.readlink(store / "yara" / "current") == first
            assert pesd.scan()["verdict"] != "not_detected"
        rules.write_text(GOOD + "// newer\n")
        done = pesd.run(*words)
        assert done.returncode == 0 and b"served as" in done.stdout, done
        assert os.readlink(store / "yara" / "current") != first


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
