#!/usr/bin/env python3
"""The configuration is read whole and taken whole: at the start, by --check-config, and on SIGHUP."""
import os
import pathlib
import re
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

EICAR_CONF = 'module = "eicar.so"\n'


def eicar_conf(n):
    """Another one for each number from 2 to 15, so that a reload starts the provider anew; 2 workers are the default."""
    return EICAR_CONF + f"workers = {n + 1}\n"


def check(config):
    """What --check-config says of a folder: its status and its lines."""
    command = [daemon.stage() / "sbin" / "pesd", "--user", "--check-config", "--config", config]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout.replace(str(config), "DIR").splitlines()


def rows(pesd):
    return {row["name"]: row for row in pesd.status()["providers"]}


def test_check_good():
    """a good configuration is said to be good, and nothing is started"""
    config = daemon.config_folder("mode = warn\n", {"eicar": EICAR_CONF, "off": 'module = "no.so"\nenabled = no\n'})
    (config / "providers.d" / "eicar.conf.bak").write_text("nonsense")
    (config / "providers.d" / ".hidden.conf").write_text("nonsense")
    assert check(config) == (0, ["DIR: ok: 2 providers, 0 rules"])


def test_check_default():
    """the configuration that is installed is good"""
    config = daemon.folder() / "copy"
    subprocess.run(["cp", "-r", daemon.SOURCE / "config", config], check=True)
    config.chmod(0o755)
    status, lines = check(config)
    if all((daemon.providers_folder() / name).exists() for name in ("clamav.so", "command.so", "yara.so")):
        n_files = len(list((config / "providers.d").glob("*.conf")))
        assert (status, lines) == (0, [f"DIR: ok: {n_files} providers, 0 rules"]), lines


def test_check_bad():
    """every mistake in every file is told at once, with file and line"""
    config = daemon.config_folder(
        "mode = loud\nmdoe = warn\n",
        {
            "a": 'module = "eicar.so"\nworkers = 17\n',
            "b": 'name = a\nmodule = "eicar.so"\n',
            "c": 'module = "no-such.so"\ndefinitions = "no-such"\n',
            "d": "",
            "e": 'module = "../eicar.so"\noptions = {"only", "a=1", "a=2"}\n',
            "bad name": EICAR_CONF,
        },
    )
    (config / "providers.d" / "f.conf").write_bytes(b"module = x\n" * 7000)
    (config / "providers.d" / "g.conf").mkdir()
    os.mkfifo(config / "providers.d" / "h.conf")
    (config / "providers.d" / "i.conf").symlink_to("/nonexistent")
    status, lines = check(config)
    share = daemon.stage() / "share" / "pes"
    modules = daemon.providers_folder()
    assert status == 1
    assert lines == [
        "DIR/pes.conf:1: mode = 'loud': give observe, warn or enforce",
        "DIR/pes.conf:2: unknown key 'mdoe'; did you mean 'mode'?",
        "DIR/providers.d/a.conf:2: workers = '17': out of range; it goes from 1 to 16",
        "DIR/providers.d/b.conf: provider 'a' is configured in DIR/providers.d/a.conf already; give another name",
        "DIR/providers.d/bad name.conf: the file's name is no name for a provider; rename it or set name",
        f"DIR/providers.d/c.conf:1: module '{modules}/no-such.so': No such file or directory",
        f"DIR/providers.d/c.conf:2: definitions '{share}/no-such': No such file or directory",
        'DIR/providers.d/d.conf: no module is given; add module = "NAME.so"',
        "DIR/providers.d/e.conf:1: a relative path with '..'; give an absolute one",
        "DIR/providers.d/e.conf:2: options = 'only': write each entry as \"KEY=VALUE\"",
        "DIR/providers.d/e.conf:2: options = 'a=2': is given twice; remove one",
        f"DIR/providers.d/e.conf:1: module '{modules}/../eicar.so': No such file or directory",
        "DIR/providers.d/f.conf: is larger than 64 KiB; no configuration needs that",
        "DIR/providers.d/g.conf: is not a regular file",
        "DIR/providers.d/h.conf: is not a regular file",
        "DIR/providers.d/i.conf: cannot be read: No such file or directory",
    ], lines


def test_check_missing():
    """a folder without pes.conf is a mistake, and so are too many providers"""
    empty = daemon.folder()
    assert check(empty) == (1, ["DIR/pes.conf: cannot be read: No such file or directory"])
    many = daemon.config_folder("", {f"p{n:02}": EICAR_CONF for n in range(17)})
    assert check(many) == (1, ["DIR/providers.d/p16.conf: is one provider too many; 16 may be configured"])


def test_start_bad():
    """pesd doesn't start with a mistake, and says which"""
    with daemon.Pesd(config=daemon.config_folder("\n\nmode = loud\n")) as pesd:
        assert pesd.wait_exit() == 1
        pesd.wait_log("config-refused: .*/pes.conf:3: mode = .loud.: give observe, warn or enforce")
        assert pesd.pids_of("pes-broker") == []


def test_reload_bad():
    """a bad reload changes nothing, is logged with file and line, and shown in status"""
    config = daemon.config_folder("mode = warn\n", {"eicar": EICAR_CONF})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        inits = pesd.pids_of("pes-init")
        daemon.write_config(config, "mode = enforce\nmax-content = 7\n", {"eicar": EICAR_CONF + "x = 1\n"})
        since = pesd.reload()
        pesd.wait_log("pes.conf:2: max-content = .7.: out of range", since=since)
        pesd.wait_log("eicar.conf:2: unknown key .x.", since=since)
        pesd.wait_log("not taken .2 mistakes.; the one before stays in force", since=since)
        status = pesd.status()
        assert status["mode"] == "warn" and status["config_generation"] == 1
        assert "pes.conf:2: max-content" in status["config_error"], status
        assert pesd.pids_of("pes-init") == inits
        assert pesd.scan()["mode"] == "warn"
        daemon.write_config(config, "mode = enforce\n", {"eicar": EICAR_CONF})
        pesd.reload()
        pesd.wait_log("config-applied: configuration 2 is in force .1 providers.")
        assert pesd.status()["config_error"] is None


def test_reload_good():
    """a good reload is in force at once, and every question during it is answered in full"""
    config = daemon.config_folder("mode = observe\n", {"eicar": EICAR_CONF})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        answers = []
        done = threading.Event()

        def ask():
            while not done.is_set():
                answers.append(pesd.scan())

        asker = threading.Thread(target=ask)
        asker.start()
        for n in range(2, 7):
            old = pesd.pids_of("pes-init")
            watch = daemon.Watch(old)
            daemon.write_config(config, f"mode = {'enforce' if n % 2 else 'warn'}\n", {"eicar": eicar_conf(n)})
            pesd.reload()
            pesd.wait_log(f"configuration {n} is in force")
            pesd.wait_log(rf"pes-broker: .*'eicar' generation {n} serves")
            assert not watch.wait(5), "the old generation stays"
        done.set()
        asker.join()
        assert len(answers) > 5
        for answer in answers:
            assert answer["verdict"] == "test_sample" and answer["coverage"] == "full", answer
        assert pesd.status()["mode"] == "warn" and len(pesd.pids_of("pes-init")) == 1


def test_reload_unchanged():
    """a reload starts only what has changed: configuration, module, or any file of the definitions"""
    top = daemon.folder()
    module = top / "eicar.so"
    module.write_bytes((daemon.providers_folder() / "eicar.so").read_bytes())
    (top / "definitions" / "below").mkdir(parents=True)
    (top / "definitions" / "below" / "file").write_text("1")
    other = f'module = "{module}"\ndefinitions = "{top}/definitions"\n'
    config = daemon.config_folder("", {"eicar": EICAR_CONF, "other": other})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        eicar = pesd.pids_of("pes-init", "eicar")

        def reload(n, starts):
            since = pesd.reload()
            pesd.wait_log(f"configuration {n} is in force", since=since)
            if starts:
                pesd.wait_log(f"pes-broker: .*'other' generation {starts} serves", since=since)
            else:
                assert not [line for line in pesd.lines[since:] if "is starting" in line], pesd.lines[since:]

        reload(2, None)
        daemon.write_config(config, "mode = warn\n", {"eicar": EICAR_CONF, "other": other + "timeout = \"3 s\"\n"})
        reload(3, None)  # the broker's business alone
        (top / "definitions" / "below" / "file").write_text("2")
        reload(4, 2)
        (top / "definitions" / "more").write_text("")
        reload(5, 3)
        (top / "definitions" / "more").rename(top / "definitions" / "other")
        reload(6, 4)
        reload(7, None)
        copy = top / "copy.so"
        copy.write_bytes(module.read_bytes())
        copy.rename(module)
        reload(8, 5)
        assert pesd.pids_of("pes-init", "eicar") == eicar
        # Two reloads while it loads: it goes on loading.
        hang = 'module = "scripted.so"\noptions = {"load=hang"}\n'
        daemon.write_config(config, "", {"eicar": EICAR_CONF, "other": hang})
        pesd.reload()
        pesd.wait_log(r"provider 'other' is starting \(generation 6\)")
        reload(10, None)
        assert pesd.scan()["coverage"] == "full"


def test_reload_overtaken():
    """many reloads at once end with one generation that serves"""
    config = daemon.config_folder("", {"eicar": EICAR_CONF, "scripted": 'module = "scripted.so"\n'})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        for n in range(2, 12):
            scripted = f'module = "scripted.so"\nworkers = {n + 1}\n'
            daemon.write_config(config, "", {"eicar": eicar_conf(n), "scripted": scripted})
            pesd.reload()
            pesd.wait_log(f"configuration {n} is in force")
        for name in ("eicar", "scripted"):
            pesd.wait_log(f"pes-broker: .*'{name}' generation 11 serves")
        while len(pesd.pids_of("pes-init")) > 2:
            pesd.read_log(0.05)
        assert pesd.scan()["coverage"] == "full"


def test_reload_providers():
    """providers come, go, are switched off and on by reloads"""
    config = daemon.config_folder("", {"eicar": EICAR_CONF})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        daemon.write_config(config, "", {"eicar": EICAR_CONF, "second": 'module = "eicar.so"\n'})
        pesd.reload()
        pesd.wait_log("pes-broker: .*'second' generation 1 serves")
        assert len(pesd.scan()["providers"]) == 2
        watch = daemon.Watch(pesd.pids_of("pes-init", "second"))
        daemon.write_config(config, "", {"eicar": EICAR_CONF, "second": 'module = "eicar.so"\nenabled = no\n'})
        pesd.reload()
        pesd.wait_log("configuration 3 is in force")
        assert rows(pesd)["second"]["state"] == "off"
        assert not watch.wait(5), "a provider that is off still runs"
        watch = daemon.Watch(pesd.pids_of("pes-init", "eicar"))
        daemon.write_config(config, "", {"second": 'module = "eicar.so"\n'})
        pesd.reload()
        pesd.wait_log("configuration 4 is in force")
        pesd.wait_log("pes-broker: .*'second' generation [12] serves", since=len(pesd.lines) - 3)
        assert not watch.wait(5), "a provider that was removed still runs"
        answer = pesd.scan()
        assert [part["name"] for part in answer["providers"]] == ["second"], answer


def test_reload_broken_definitions():
    """definitions that do not load leave the old generation serving, and say why"""
    if not (daemon.providers_folder() / "yara.so").exists():
        tap.skip("built without yara")
    rules = daemon.folder() / "rules.yar"
    rules.write_text('rule first { strings: $a = "harmless-marker" condition: $a }\n')
    config = daemon.config_folder("", {"yara": f'module = "yara.so"\ndefinitions = "{rules}"\n'})
    with daemon.Pesd(config=config).wait_ready() as pesd:
        inits = pesd.pids_of("pes-init")
        assert pesd.scan(b"harmless-marker")["providers"][0]["detection"]
        rules.write_text("rule broken {\n condition: $nothing\n}\n")
        since = pesd.reload()
        pesd.wait_log("generation 2 of provider 'yara' is given up, another one serves: '", since=since)
        assert pesd.pids_of("pes-init") == inits
        answer = pesd.scan(b"harmless-marker")
        assert answer["coverage"] == "full" and answer["providers"][0]["detection"], answer
        reason = rows(pesd)["yara"]["reason"]
        assert re.match(r"a newer generation was given up, this one goes on: .*/rules\.yar:[23]: ", reason), reason
        rules.write_text('rule second { strings: $a = "other-marker" condition: $a }\n')
        since = pesd.reload()
        pesd.wait_log("pes-broker: .*'yara' generation 3 serves", since=since)
        assert pesd.scan(b"other-marker")["providers"][0]["detection"]


def test_reload_unsigned():
    """a reload that takes the leave for unsigned modules away ends them"""
    config = daemon.config_folder("allow-unsigned = true\n", {"eicar": EICAR_CONF})
    with daemon.Pesd(config=config, unsigned=False).wait_ready() as pesd:
        watch = daemon.Watch(pesd.pids_of("pes-init"))
        daemon.write_config(config, "", {"eicar": EICAR_CONF})
        since = pesd.reload()
        pesd.wait_log("provider 'eicar' is not started: 'its module is not signed", since=since)
        assert not watch.wait(5)
        assert pesd.scan()["coverage"] == "not_examined"
        status = pesd.status()
        assert status["allows_unsigned"] is False and rows(pesd)["eicar"]["state"] == "failed", status


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
