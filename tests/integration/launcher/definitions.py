#!/usr/bin/env python3
"""pes definitions update, rollback, status: a version is tried by the service, and stays or goes."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

EICAR_RULE = 'rule eicar { meta: pes_sample = "proof-of-life" strings: $a = "EICAR-STANDARD-" $b = "proof-of-life" condition: any of them }\n'
MORE_RULE = 'rule more { strings: $a = "second-marker" condition: $a }\n'


class Shop:
    """A service whose yara reads a store, and what an updater would have fetched."""

    def __init__(self, needs_first=True):
        if not (daemon.providers_folder() / "yara.so").exists():
            tap.skip("built without yara")
        self.top = daemon.folder()
        self.store = self.top / "store"
        self.source = self.top / "source"
        self.source.mkdir()
        self.pesd = None
        self.rules(EICAR_RULE)
        if needs_first:
            done = self.command("update", "yara", "--from", self.source, env={"PES_RUNTIME_DIR": str(self.top)})
            assert done.returncode == 0 and b"not tried" in done.stderr, done
        text = f'module = "yara.so"\ndefinitions = "{self.store}/yara/current"\n'
        self.config = daemon.config_folder("", {"yara": text})

    def rules(self, text, name="a.yar"):
        (self.source / name).write_text(text)

    def command(self, *words, env=None, **more):
        words = ["pes", "definitions", *words, "--store", self.store]
        if self.pesd:
            return self.pesd.run(*words, **more)
        env = dict(os.environ, PATH=f"{daemon.stage()}/bin:{os.environ['PATH']}", **(env or {}))
        env["LD_LIBRARY_PATH"] = str(next(daemon.stage().rglob("libpes.so.1")).parent)
        return subprocess.run([str(word) for word in words], capture_output=True, env=env, check=False, timeout=60)

    def update(self, *words):
        return self.command("update", "yara", "--from", self.source, *words)

    def link(self, name):
        path = self.store / "yara" / name
        return os.readlink(path).split("/")[1] if path.is_symlink() else None

    def row(self):
        return self.pesd.status()["providers"][0]

    def status(self):
        done = self.command("status", "--json")
        return done.returncode, json.loads(done.stdout)["definitions"][0]


def shop_with_service():
    shop = Shop()
    shop.pesd = daemon.Pesd(config=shop.config)
    return shop


def found(pesd, content):
    return [part["detection"] for part in pesd.scan(content)["providers"] if part["detection"]]


def test_update_and_rollback():
    """an update is served, is unchanged the next time, and is taken back by a rollback"""
    shop = shop_with_service()
    with shop.pesd.wait_ready() as pesd:
        first = shop.link("current")
        assert found(pesd, b"second-marker") == []
        shop.rules(EICAR_RULE + MORE_RULE)
        done = shop.update()
        assert done.returncode == 0 and b"served as" in done.stdout, done
        second = shop.link("current")
        assert second != first and shop.link("previous") == first
        assert found(pesd, b"second-marker")
        done = shop.update()
        assert done.returncode == 0 and b"unchanged" in done.stdout, done
        assert shop.link("current") == second
        done = shop.command("rollback", "yara")
        assert done.returncode == 0, done
        assert shop.link("current") == first and shop.link("previous") == second
        assert found(pesd, b"second-marker") == []
        # What was rolled back doesn't come again by itself.
        done = shop.update()
        assert done.returncode == 0 and b"rolled back" in done.stdout, done
        assert shop.link("current") == first
        done = shop.update("--force")
        assert done.returncode == 0 and found(pesd, b"second-marker"), done


def test_bad_updates():
    """definitions that do not load, flag everything or find nothing are never promoted; no client sees an error"""
    shop = shop_with_service()
    with shop.pesd.wait_ready() as pesd:
        answers, done_asking = [], threading.Event()

        def ask():
            while not done_asking.is_set():
                answers.append(pesd.scan())

        asker = threading.Thread(target=ask)
        asker.start()
        first = shop.link("current")
        bad = {
            "rule broken { condition: $nothing }\n": b"a.yar:1",
            EICAR_RULE + "rule anything { condition: true }\n": b"it objects to",
            MORE_RULE: b"it lets the test string EICAR pass",
        }
        try:
            for text, why in bad.items():
                shop.rules(text)
                done = shop.update()
                assert done.returncode == 1 and why in done.stderr, done
                assert shop.link("current") == first and shop.link("previous") is None
                code, row = shop.status()
                assert code == 1 and row["last_result"] == "refused" and why.decode() in row["last_reason"], row
        finally:
            done_asking.set()
            asker.join()
        assert len(answers) > 3
        for answer in answers:
            assert answer["coverage"] == "full" and answer["verdict"] != "not_detected", answer
        # After all that, the good one is what a restart loads.
        pesd.run("kill", "-KILL", pesd.pids_of("pes-init")[0])
        pesd.wait_log("pes-broker: .*'yara' generation [0-9]+ serves", since=len(pesd.lines))
        assert found(pesd, daemon.EICAR)


def test_less_on_purpose():
    """what finds less is taken with --accept, which is logged and shown, and holds for a rollback to it only"""
    shop = shop_with_service()
    with shop.pesd.wait_ready() as pesd:
        full = shop.link("current")
        shop.rules(MORE_RULE)
        done = shop.update()
        assert done.returncode == 1 and b"take it with --accept" in done.stderr, done
        since = len(pesd.lines)
        done = shop.update("--accept")
        assert done.returncode == 0, done
        pesd.wait_log("warning: provider-less: generation [0-9]+ of provider 'yara' .*lets the test string EICAR pass", since=since)
        less = shop.link("current")
        assert less != full and found(pesd, daemon.EICAR) == []
        assert "uid " in (shop.store / "yara" / "versions" / f"{less}.accepted").read_text()
        code, row = shop.status()
        assert code == 0 and row["accepted"], row
        assert b"it may find less" in shop.command("status").stdout
        # Back to one that finds more, and from that to the one that was accepted.
        shop.rules(EICAR_RULE)
        assert shop.update().returncode == 0 and found(pesd, daemon.EICAR)
        assert not shop.status()[1]["accepted"]
        done = shop.command("rollback", "yara")
        assert done.returncode == 0 and shop.link("current") == less, done
        # It excuses no other definitions that find less, and no mark is left of those that fail for another reason.
        shop.rules(EICAR_RULE)
        assert shop.update("--force").returncode == 0
        shop.rules(MORE_RULE + "// other\n")
        assert shop.update().returncode == 1
        shop.rules("rule broken { condition: $nothing }\n")
        assert shop.update("--accept").returncode == 1 and found(pesd, daemon.EICAR)
        assert [path.name for path in (shop.store / "yara" / "versions").glob("*.accepted")] in ([], [f"{less}.accepted"])


def test_interrupted():
    """an update that is killed while the service tries it is undone by the next command"""
    shop = shop_with_service()
    with shop.pesd.wait_ready() as pesd:
        first = shop.link("current")
        shop.rules(EICAR_RULE + MORE_RULE)
        words = ["pes", "definitions", "update", "yara", "--from", shop.source, "--store", shop.store]
        pesd.process.send_signal(signal.SIGSTOP)  # the trial doesn't end
        try:
            done = pesd.run("timeout", "--signal=KILL", "2", *words)
        finally:
            pesd.process.send_signal(signal.SIGCONT)
        assert done.returncode in (137, -9), done
        assert shop.link("current") != first
        code, row = shop.status()
        assert code == 1 and row["interrupted"], row
        shop.rules(EICAR_RULE)
        done = shop.update()
        assert done.returncode == 0 and b"undone" in done.stderr and b"unchanged" in done.stdout, done
        assert shop.link("current") == first
        assert found(pesd, b"second-marker") == []


def test_hostile_staging():
    """links, devices, folders and what is somebody else's are refused by name, and nothing is taken"""
    shop = shop_with_service()
    secret = shop.top / "secret"
    secret.write_text("secret")

    def make_link(path):
        path.symlink_to(secret)

    def make_name(path):
        os.link(secret, path)

    def make_folder(path):
        path.mkdir()

    def make_strange(path):
        pathlib.Path(str(path) + "\n\x1b[31m").write_text("x")

    with shop.pesd.wait_ready():
        for make in (make_link, make_name, os.mkfifo, make_folder, make_strange):
            shop.source = daemon.folder()
            shop.rules(EICAR_RULE + MORE_RULE)
            make(shop.source / "odd.yar")
            done = shop.update()
            assert done.returncode == 2 and b"odd.yar" in done.stderr, (make, done)
            assert b"nothing was taken" in done.stderr and b"\x1b" not in done.stderr, done
            assert len(list((shop.store / "yara" / "versions").iterdir())) == 2
        shop.source = daemon.folder()
        (shop.source / ".fetched").write_text("")
        assert b"there is nothing in" in shop.update().stderr


def test_versions_kept():
    """three versions are kept, and each is complete"""
    shop = shop_with_service()
    with shop.pesd.wait_ready():
        for n in range(5):
            shop.rules(EICAR_RULE + f"// {n}\n")
            done = shop.update()
            assert done.returncode == 0, done
        versions = [path for path in (shop.store / "yara" / "versions").iterdir() if path.is_dir()]
        assert len(versions) == 3, versions
        for version in versions:
            assert (version / "a.yar").stat().st_mode & 0o7777 == 0o644
            assert version.with_name(version.name + ".manifest").read_text().endswith(" a.yar\n")
        code, row = shop.status()
        assert code == 0 and row["state"] == "ready" and not row["stale"] and len(row["digest"]) == 64, row
        os.utime(shop.store / "yara" / "fetched")
        (shop.store / "yara" / "fetched").write_text("time 1000000\n")
        code, row = shop.status()
        assert code == 1 and row["stale"], row
        assert b"STALE" in shop.command("status").stdout


def test_nobody_to_try():
    """without a service nothing is replaced; who does not read them is told how to"""
    shop = Shop()
    shop.rules(EICAR_RULE + MORE_RULE)
    first = shop.link("current")
    env = {"PES_RUNTIME_DIR": str(shop.top)}
    done = shop.command("update", "yara", "--from", shop.source, env=env)
    assert done.returncode == 2 and b"nothing was changed" in done.stderr, done
    done = shop.command("rollback", "yara", env=env)
    assert done.returncode == 2 and shop.link("current") == first, done
    shop.pesd = daemon.Pesd(config=daemon.config_folder("", {"eicar": 'module = "eicar.so"\n'}))
    with shop.pesd.wait_ready():
        done = shop.update()
        assert done.returncode == 1 and b"no provider 'yara' reads them" in done.stderr, done
        assert shop.link("current") == first
    done = shop.command("update", "../yara")
    assert done.returncode == 64, done


def test_first_definitions_fail():
    """a provider that serves nothing because of an update serves what was before"""
    shop = shop_with_service()
    with shop.pesd.wait_ready() as pesd:
        since = len(pesd.lines)
        shop.rules("rule broken { condition: $nothing }\n")
        version = shop.store / "yara" / "versions" / shop.link("current") / "a.yar"
        good = version.read_text()
        version.write_text("rule broken { condition: $nothing }\n")
        pesd.run("kill", "-KILL", pesd.pids_of("pes-init")[0])
        pesd.wait_log("starting it again in", since=since)
        version.write_text(good)
        shop.rules(EICAR_RULE + MORE_RULE)
        done = shop.update()
        assert done.returncode == 0 and b"served as" in done.stdout, done
        pesd.wait_log("'yara' generation [0-9]+ serves", since=since)
        assert found(pesd, daemon.EICAR)


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
