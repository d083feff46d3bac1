#!/usr/bin/env python3
"""A new generation that is worse than the one that serves never takes over, and no client sees an error."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

GOOD = """rule eicar { meta: pes_sample = "proof-of-life" strings: $a = "EICAR-STANDARD-" $b = "proof-of-life" condition: any of them }
"""


def row(pesd):
    return pesd.status()["providers"][0]


def refuse(pesd, inits, number, why):
    """Reloads into a bad generation, which is ended; the old one goes on."""
    since = pesd.reload()
    pesd.wait_log(f"generation {number} of provider '[a-z]+' is given up, another one serves: '", since=since)
    reason = row(pesd)["reason"]
    assert re.match("a newer generation was given up, this one goes on: .*" + why, reason), reason
    assert row(pesd)["state"] == "ready", row(pesd)
    while len(pesd.pids_of("pes-init")) > 1:
        pesd.read_log(0.05)
    assert pesd.pids_of("pes-init") == inits


def test_worse_rules():
    """rules that flag everything, or find nothing, are given up; better ones follow"""
    if not (daemon.providers_folder() / "yara.so").exists():
        tap.skip("built without yara")
    rules = daemon.folder() / "rules.yar"
    rules.write_text(GOOD)
    config = daemon.config_folder("", {"yara": f'module = "yara.so"\ndefinitions = "{rules}"\n'})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        inits = pesd.pids_of("pes-init")
        with daemon.Asker(pesd) as asker:
            rules.write_text(GOOD + "rule everything { condition: true }\n")
            refuse(pesd, inits, 2, "self-test: it objects to ")
            rules.write_text('rule nothing { strings: $a = "nothing-like-this" condition: $a }\n')
            refuse(pesd, inits, 3, "it lets the test string EICAR pass")
            rules.write_text('rule eicar { strings: $a = "EICAR-STANDARD-" condition: $a }\n')
            refuse(pesd, inits, 4, "it has no samples")
            # What was given up does not take what serves along when it would have made room.
            rules.write_text(GOOD + "// better\n")
            since = pesd.reload()
            pesd.wait_log("pes-broker: .*'yara' generation 5 serves", since=since)
            watch = daemon.Watch(inits)
            assert not watch.wait(5), "the old generation still runs"
            pesd.scan()
        assert row(pesd)["state"] == "ready" and not row(pesd)["reason"].startswith("a newer"), row(pesd)
        for answer in asker.answers:
            assert answer["coverage"] == "full" and answer["verdict"] != "not_detected", answer


def test_crashing():
    """what crashes on load, or on its third scan, or flags everything, is given up"""
    main = 'module = "scripted.so"\n'
    config = daemon.config_folder("", {"scripted": main})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        inits = pesd.pids_of("pes-init")
        with daemon.Asker(pesd) as asker:
            bad = {
                "load=crash SEGV": "died by SIGSEGV while loading definitions",
                "crash-at=3": "self-test: the worker ended while scanning sample 3.*SIGSEGV",
                "always=found Any malicious": "self-test: it objects to ",
            }
            for number, (option, why) in enumerate(bad.items(), 2):
                daemon.write_config(config, "", {"scripted": main + f'options = {{"{option}"}}\n'})
                refuse(pesd, inits, number, why)
        assert len(asker.answers) > 3
        for answer in asker.answers:
            assert answer["coverage"] == "full" and answer["verdict"] == "not_detected", answer


def test_saved_generation_is_kept_running():
    """an old generation that was to make room, and was taken back, is started again when it dies"""
    if not (daemon.providers_folder() / "yara.so").exists():
        tap.skip("built without yara")
    rules = daemon.folder() / "rules.yar"
    rules.write_text(GOOD)
    config = daemon.config_folder("", {"yara": f'module = "yara.so"\ndefinitions = "{rules}"\n'})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        inits = pesd.pids_of("pes-init")
        rules.write_text('rule nothing { strings: $a = "nothing-like-this" condition: $a }\n')
        refuse(pesd, inits, 2, "it lets the test string EICAR pass")
        rules.write_text(GOOD)
        since = len(pesd.lines)
        pesd.run("kill", "-KILL", inits[0])
        pesd.wait_log("provider 'yara': '.*'; starting it again in", since=since)
        pesd.wait_log("pes-broker: .*'yara' generation 3 serves", since=since)
        assert pesd.scan()["coverage"] == "full"


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
