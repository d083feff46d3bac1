#!/usr/bin/env python3
"""Signed packages: what is signed runs, what is not is refused with the reason, and no client notices (A2-A5, R19)."""
import datetime
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

MINISIGN = shutil.which("minisign")
SERIAL = 7


def run(*command):
    env = dict(os.environ, LD_LIBRARY_PATH=str(next(daemon.stage().rglob("libpes.so.1")).parent))
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=env, check=False)
    return done.returncode, done.stdout + done.stderr


def provider(*words):
    return run(daemon.stage() / "bin" / "pes", "provider", *words)


def must(result):
    assert result[0] == 0, result
    return result[1]


class Place:
    """A publisher's key, and a machine that trusts it."""

    def __init__(self):
        if not MINISIGN:
            raise tap.Skip("there is no minisign")
        self.top = daemon.folder()
        self.config = daemon.config_folder("mode = enforce\n")
        self.store = self.top / "packages"
        self.keys = self.config / "keys.d"
        self.keys.mkdir()
        self.key = self.new_key("publisher")
        shutil.copy(self.top / "publisher.pub", self.keys)

    def new_key(self, name):
        key = self.top / f"{name}.key"
        must(run(MINISIGN, "-G", "-W", "-p", self.top / f"{name}.pub", "-s", key))
        return key

    def build(self, name="eicar", module="eicar.so", key=None, file="new", **changes):
        """A signed package; `changes` are lines of the manifest, None leaves one out."""
        lines = {"pes-package": 1, "name": name, "version": "1.0", "serial": SERIAL, "abi": 1, "registry": 1}
        lines.update({"form": "module", "module": pathlib.Path(module).name, "kind": "file.*", "workers": 1})
        lines.update(changes)
        manifest = self.top / "manifest"
        manifest.write_text("".join(f"{k} {v}\n" for k, v in lines.items() if v is not None))
        package = self.top / f"{file}.pespkg"
        source = daemon.providers_folder() / module
        must(provider("build", "--manifest", manifest, "--output", package, source))
        must(provider("sign", "--key", key or self.key, package))
        return package

    def do(self, verb, *words):
        return provider(verb, "--config", self.config, "--store", self.store, *words)

    def refused(self, says, package):
        status, text = self.do("verify", package)
        assert status == 1 and says in text, (says, status, text)


def rows(pesd):
    return {row["name"]: row for row in pesd.status()["providers"]}


def test_both_ways():
    """A2: minisign takes our signatures, and we take minisign's"""
    place = Place()
    package = place.build()
    must(run(MINISIGN, "-V", "-p", place.top / "publisher.pub", "-m", package))
    must(place.do("verify", package))
    os.unlink(f"{package}.minisig")
    must(run(MINISIGN, "-S", "-H", "-s", place.key, "-m", package))
    assert "name      eicar" in must(place.do("verify", package))


def test_runs():
    """what is installed is started without --allow-unsigned, and says who signed it"""
    place = Place()
    must(place.do("install", place.build()))
    assert f"serial {SERIAL}" in must(place.do("list"))
    with daemon.Pesd(config=place.config, unsigned=False) as pesd:
        pesd.wait_ready()
        pesd.wait_log(r"package-trusted: provider 'eicar': version '1.0', serial 7, signed with key [0-9A-F]{16}")
        assert pesd.scan()["verdict"] == "test_sample"
        must(place.do("remove", "eicar"))
        pesd.wait_log("config-applied", since=pesd.reload())
        assert rows(pesd).get("eicar", {"state": "off"})["state"] == "off"


def test_system_mode():
    """in system mode pes-verify runs as a user that owns nothing, and keys must be root's"""
    if os.geteuid() != 0:
        raise tap.Skip("needs root")
    place = Place()
    users = "users { broker = 64001 identity = 64002 receiver = 64003 provider-base = 64016 }\n"
    (place.config / "pes.conf").write_text("mode = enforce\n" + users)
    must(place.do("install", place.build()))
    with daemon.Pesd(config=place.config, user=False, unsigned=False) as pesd:
        pesd.wait_ready()
        assert pesd.scan()["verdict"] == "test_sample"
        os.chown(place.keys / "publisher.pub", 64003, 0)
        must_refuse = pesd.reload()
        pesd.wait_log("package-refused: provider 'eicar'.*must belong to root and", since=must_refuse)
        assert pesd.scan()["verdict"] == "test_sample"


def changed(package, change):
    data = bytearray(package.read_bytes())
    result = change(data)
    package.write_bytes(bytes(data if result is None else result))


def test_tampering():
    """A2: thirty ways in which a package is not what was signed are refused, each with its reason"""
    place = Place()
    size = place.build().stat().st_size
    n_cases = 0

    def flip(at):
        def change(data):
            data[at] ^= 1

        return change

    at_bytes = [0, 7, 8, 11, 12, 30, 100, 200, size // 2, size - 1]
    changes = [flip(at) for at in at_bytes]
    changes += [lambda d, n=n: d[:n] for n in (0, 1, 11, 12, 100, size // 2, size - 1)]
    changes += [lambda d: d + b"\0", lambda d: d + d, lambda d: d[1:], lambda d: bytearray(len(d))]
    for change in changes:
        package = place.build()
        changed(package, change)
        place.refused("the signature does not fit", package)
        n_cases += 1

    package = place.build()
    os.unlink(f"{package}.minisig")
    place.refused("is not signed", package)
    other = place.build(file="other", version="2.0")
    shutil.copy(f"{other}.minisig", f"{package}.minisig")
    place.refused("the signature does not fit", package)
    place.refused("none of the 1 trusted", place.build(key=place.new_key("stranger")))
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    place.refused("its last day was", place.build(expires=yesterday.strftime("%Y%m%d")))
    place.refused("version 2 of the provider interface", place.build(abi=2))
    place.refused("registry version 99", place.build(registry=99))
    place.refused("agents and lookup helpers", place.build(form="agent"))

    def add_file(data):  # signed by the right key, but with a file that the manifest does not list
        return data + b"extra"

    package = place.build()
    changed(package, add_file)
    must(provider("sign", "--key", place.key, package))
    place.refused("after the last file", package)

    def grow_manifest(data):
        return data[:8] + struct.pack("<I", 1 << 31) + data[12:]

    package = place.build()
    changed(package, grow_manifest)
    must(provider("sign", "--key", place.key, package))
    place.refused("larger than 64 KiB", package)
    n_cases += 9
    assert n_cases >= 30, n_cases


def test_rollback():
    """A2: an older serial never follows a newer one, not even after the newer one was removed"""
    place = Place()
    must(place.do("install", place.build(serial=9)))
    status, text = place.do("install", place.build(serial=8))
    assert status == 1 and "older than one that was installed" in text, text
    must(place.do("remove", "eicar"))
    status, text = place.do("install", place.build(serial=8))
    assert status == 1 and "at least 9 is wanted" in text, text
    must(place.do("install", place.build(serial=9)))


def test_revoked():
    """A2: a key or package that is revoked is refused, and ends what was started from it"""
    place = Place()
    must(place.do("install", place.build()))
    with daemon.Pesd(config=place.config, unsigned=False) as pesd:
        pesd.wait_ready()
        assert pesd.scan()["verdict"] == "test_sample"
        text = must(place.do("verify", place.store / "eicar.pespkg"))
        key = text.split("key ")[1].split()[0]
        (place.config / "revoked").write_text(f"key {key}\n")
        place.refused("was revoked", place.store / "eicar.pespkg")
        since = pesd.reload()
        pesd.wait_log("package-refused: provider 'eicar'.*was revoked", since=since)
        pesd.wait_log("provider-failed: provider 'eicar' is not started.*was revoked", since=since)
        row = rows(pesd)["eicar"]
        assert row["state"] != "ready" and "was revoked" in row["reason"], row
        assert pesd.scan()["verdict"] != "test_sample"


def test_trusted_by_others():
    """A3: keys that others could have written are not trusted, and it is said loudly"""
    place = Place()
    package = place.build()
    key = place.keys / "publisher.pub"
    matrix = [(key, 0o664), (key, 0o646), (key, 0o666), (place.keys, 0o775), (place.keys, 0o757), (place.config, 0o777)]
    for path, mode in matrix:
        before = path.stat().st_mode
        path.chmod(mode)
        place.refused("is not trusted", package)
        path.chmod(before)
        must(place.do("verify", package))
    if os.geteuid() == 0:
        for path in (key, place.keys):
            os.chown(path, 12345, 0)
            place.refused("is not trusted", package)
            os.chown(path, 0, 0)
    must(place.do("install", package))
    key.chmod(0o666)
    with daemon.Pesd(config=place.config, unsigned=False) as pesd:
        pesd.wait_log("package-refused: provider 'eicar'.*is not trusted")
        assert "is not trusted" in rows(pesd)["eicar"]["reason"]
    key.unlink()
    place.refused("none of the 0 trusted", package)
    place.keys.rmdir()
    place.refused("no key is trusted", package)


def test_duplicate():
    """A4: a second provider of the same name is refused, and both are named"""
    place = Place()
    conf = place.config / "providers.d" / "eicar.conf"
    conf.write_text('module = "eicar.so"\n')
    status, text = place.do("install", place.build())
    assert status == 1 and str(conf) in text and str(place.store / "eicar.pespkg") in text, text
    assert conf.read_text() == 'module = "eicar.so"\n' and not (place.store / "eicar.pespkg").exists()
    conf.unlink()
    must(place.do("install", place.build()))
    (place.config / "providers.d" / "twin.conf").write_text(f'module = "{place.store}/eicar.pespkg"\n')
    with daemon.Pesd(config=place.config, unsigned=False) as pesd:
        pesd.wait_ready()
        assert "is the package of provider 'eicar'" in rows(pesd)["twin"]["reason"]
        assert rows(pesd)["eicar"]["state"] == "ready"


def test_swap():
    """A2: a package that is swapped while it is installed is installed as it was verified, or not at all"""
    place = Place()
    good = place.build()
    bad = place.build(file="bad")
    changed(bad, lambda d: d[:-1] + b"!")
    done = threading.Event()

    def swap():
        n = 0
        while not done.is_set():
            beside = place.top / "beside"
            shutil.copy(bad if n % 2 else good_copy, beside)
            os.rename(beside, good)
            n += 1

    good_copy = place.top / "copy"
    shutil.copy(good, good_copy)
    thread = threading.Thread(target=swap)
    thread.start()
    try:
        outcomes = [place.do("install", good)[0] for _ in range(150)]
    finally:
        done.set()
        thread.join()
    assert set(outcomes) <= {0, 1}, outcomes
    assert 0 in outcomes and 1 in outcomes, "the swap hit nothing"
    assert (place.store / "eicar.pespkg").read_bytes() == good_copy.read_bytes()
    must(place.do("list"))


def test_crashing_install():
    """no client sees an error while packages that crash, fail or were tampered with are installed"""
    place = Place()
    must(place.do("install", place.build()))
    with daemon.Pesd(config=place.config, unsigned=False) as pesd:
        pesd.wait_ready()
        with daemon.Asker(pesd) as asker:
            conf = place.config / "providers.d" / "boom.conf"
            for how in ("crash 11", "fail"):
                conf.write_text(f'module = "{place.store}/boom.pespkg"\noptional = yes\noptions = {{ "load={how}" }}\n')
                must(place.do("install", place.build(name="boom", module="scripted.so", serial=SERIAL + 1)))
                pesd.wait_log("provider-(lost|failed): provider 'boom'", since=pesd.reload())
            # Somebody writes into the package of the one that serves: it goes on serving.
            changed(place.store / "eicar.pespkg", lambda d: d[:-1] + b"!")
            pesd.wait_log("package-refused: provider 'eicar'.*does not fit", since=pesd.reload())
            n = len(asker.answers)
            while len(asker.answers) < n + 20 and asker.thread.is_alive():
                asker.done.wait(0.05)
        print(f"# {len(asker.answers)} answers")
        wrong = [a for a in asker.answers if a["verdict"] != "test_sample" or a["error"]]
        assert len(asker.answers) > 20 and not wrong, wrong[:1]


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
