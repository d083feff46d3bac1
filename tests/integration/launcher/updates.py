#!/usr/bin/env python3
"""pes-fetch: from mirrors into staging, whole or not at all, by somebody who may do nothing else."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import mirror
import tap

RULE = 'rule eicar { meta: pes_sample = "proof-of-life" strings: $a = "EICAR-STANDARD-" $b = "proof-of-life" condition: any of them }\n'
MORE = 'rule more { strings: $a = "second-marker" condition: $a }\n'


class Updater:
    """A store and a configuration, and the user who fetches."""

    def __init__(self, name="yara"):
        self.name = name
        self.top = daemon.folder()
        self.store = self.top / "store"
        self.staging = self.store / name / "staging"
        self.staging.mkdir(parents=True)
        self.user = daemon.account()
        if self.user:
            os.chown(self.staging, self.user.pw_uid, self.user.pw_gid)
        (self.top / "updates.d").mkdir()

    def write(self, text):
        (self.top / "updates.d" / f"{self.name}.conf").write_text(text)

    def fetch(self, *words, env=None, as_root=False):
        who = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user and not as_root else {}
        program = next(daemon.stage().rglob("pes-fetch"))
        command = [program, "--config", self.top, "--store", self.store, *(words or [self.name])]
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        return subprocess.run([str(word) for word in command], capture_output=True, check=False, timeout=120, env=kept | (env or {}), **who)

    def good(self, **more):
        done = self.fetch(**more)
        assert done.returncode == 0, done
        return done.stdout

    def bad(self, why, code=1, **more):
        """It fails, says why, and leaves what there was."""
        before = self.files(), self.stamp()
        done = self.fetch(**more)
        assert done.returncode == code and why in done.stderr, done
        assert (self.files(), self.stamp()) == before, done

    def files(self):
        return {path.name: path.read_bytes() for path in self.staging.iterdir() if not path.name.startswith(".")}

    def stamp(self):
        path = self.staging / ".fetched"
        return path.stat().st_mtime_ns if path.exists() else None


def need(program):
    if not shutil.which(program):
        tap.skip(f"needs {program}")


def test_from_mirror_to_answer():
    """what a mirror has is fetched, tried and served; what has not changed is not sent again"""
    need("curl")
    if not (daemon.providers_folder() / "yara.so").exists():
        tap.skip("built without yara")
    updater = Updater()
    with mirror.Mirror() as server:
        server.answers["/a.yar"] = RULE.encode()
        server.answers["/b.yar"] = b"// nothing yet\n"
        updater.write(f'files = {{ "a.yar={server.url}/a.yar", "b.yar={server.url}/b.yar" }}\nallow-http = yes\nstale-after = 2\n')
        assert b"2 of 2 files are new" in updater.good()
        assert updater.files() == {"a.yar": RULE.encode(), "b.yar": b"// nothing yet\n"}
        config = daemon.config_folder("", {"eicar": 'module = "eicar.so"\n'})
        pesd = daemon.Pesd(config=config)
        with pesd.wait_ready():
            words = ["pes", "definitions", "update", "yara", "--store", updater.store]
            assert pesd.run(*words).returncode == 0
            text = f'module = "yara.so"\ndefinitions = "{updater.store}/yara/current"\n'
            daemon.write_config(config, "", {"yara": text})
            since = pesd.reload()
            pesd.wait_log("'yara' generation 1 serves", since=since)
            # Nothing new: asked for with the names that the server gave, and answered with those.
            n_asked, first = len(server.asked), updater.stamp()
            assert b"0 of 2 files are new" in updater.good()
            asked = server.asked[n_asked:]
            assert [headers.get("If-None-Match") for _, headers in asked] == [server.etag("/a.yar"), server.etag("/b.yar")], asked
            assert updater.stamp() > first
            assert b"unchanged" in pesd.run(*words).stdout
            server.answers["/b.yar"] = MORE.encode()
            assert b"1 of 2 files are new" in updater.good()
            done = pesd.run(*words)
            assert done.returncode == 0 and b"served as" in done.stdout, done
            answer = pesd.scan(b"second-marker")
            assert [part["detection"] for part in answer["providers"]] == ["more"], answer
            # A mirror that sends rubbish: fetched, tried, and not taken.
            server.answers["/a.yar"] = b"<html>log in first</html>"
            updater.good()
            done = pesd.run(*words)
            assert done.returncode == 1 and b"a.yar:1" in done.stderr, done
            assert pesd.scan()["verdict"] != "not_detected"


def test_staleness():
    """how old is too old is said for each provider, and shown by all who ask how things are"""
    updater = Updater()
    home = daemon.folder()
    store, config = home / "data/pes/definitions", home / "config/pes"
    (config / "updates.d").mkdir(parents=True)
    source = daemon.folder()
    (source / "a").write_text("one")
    env = ["env", f"XDG_DATA_HOME={home / 'data'}", f"XDG_CONFIG_HOME={home / 'config'}"]
    user = updater.user.pw_uid if updater.user else None
    if updater.user:
        os.chown(home, updater.user.pw_uid, updater.user.pw_gid)
    with daemon.Pesd(config=daemon.config_folder("", {"eicar": 'module = "eicar.so"\n'})).wait_ready() as pesd:

        def pes(*words):
            return pesd.run(*env, "pes", *words, user=user)

        assert pes("definitions", "update", "eicar", "--from", source).returncode == 0
        two_days_ago = int((store / "eicar" / "fetched").read_text().split()[1]) - 2 * 86400 - 600
        for text, stale in (("", False), ('folder = "/a"\nstale-after = 2\n', True), ('folder = "/a"\nstale-after = 3\n', False)):
            (store / "eicar" / "fetched").write_text(f"time {two_days_ago}\n")
            if text:
                (config / "updates.d" / "eicar.conf").write_text(text)
            done = pes("definitions", "status")
            assert (done.returncode == 1) == stale and (b"STALE" in done.stdout) == stale, done
            line = b"eicar: its definitions are stale, their source was last reached 2.0 days ago"
            for words, shown in ((["status"], b"\nDefinitions: " + line), (["providers"], b"\n" + line)):
                done = pes(*words)
                assert done.returncode == 0 and (shown in done.stdout) == stale, done
            told = json.loads(pes("status", "--json").stdout)["definitions_attention"]
            assert len(told) == stale, told
        done = pes("definitions", "status", "--stale-after", "1")
        assert done.returncode == 1, done
        (config / "updates.d" / "eicar.conf").write_text("stale-after = soon\n")
        done = pes("definitions", "status")
        assert done.returncode == 0 and b"eicar.conf:1: stale-after" in done.stderr, done


def test_whole_or_not_at_all():
    """one file that fails, is too large or too slow leaves all others as they were, and nothing behind"""
    need("curl")
    updater = Updater()

    def endless(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            handler.close_connection = True

    def silent(handler):
        handler.connection.settimeout(30)
        handler.connection.recv(1)
        handler.close_connection = True

    with mirror.Mirror() as server:
        server.answers["/a"] = b"one"
        server.answers["/b"] = b"two"
        both = f'files = {{ "a={server.url}/a", "b={server.url}/b" }}\nallow-http = yes\n'
        updater.write(both)
        updater.good()
        server.answers["/a"] = b"newer"
        for answer, why in ((None, b"404"), (endless, b"max-file-size"), (b"x" * 200000, b"max-file-size"), (silent, b"timed out")):
            server.answers["/b"] = answer
            updater.write(both + 'max-file-size = "100 KiB"\ntimeout = "2 s"\n')
            updater.bad(why)
            assert not (updater.staging / ".incomplete").exists()
            assert list((updater.staging / ".work").iterdir()) == []
        server.answers["/b"] = b"two"
        updater.write(both)
        assert b"1 of 2" in updater.good()
        assert updater.files() == {"a": b"newer", "b": b"two"}
        assert list((updater.staging / ".work").iterdir()) == []
        # What the configuration names no more goes away.
        updater.write(f'files = {{ "a={server.url}/a" }}\nallow-http = yes\n')
        updater.good()
        assert updater.files() == {"a": b"newer"} and not (updater.staging / ".etag.b").exists()


def test_cut_short():
    """a folder that is half old and half new is taken by nobody, and then fetched as a whole"""
    need("curl")
    updater = Updater()
    with mirror.Mirror() as server:
        server.answers["/a"] = b"one"
        updater.write(f'files = {{ "a={server.url}/a" }}\nallow-http = yes\n')
        updater.good()
        (updater.staging / ".incomplete").write_text("")
        if updater.user:
            os.chown(updater.staging / ".incomplete", updater.user.pw_uid, updater.user.pw_gid)
        pes = [next(daemon.stage().rglob("bin/pes")), "definitions", "update", "yara", "--store", updater.store]
        env = dict(os.environ, PES_RUNTIME_DIR=str(updater.top))
        env["LD_LIBRARY_PATH"] = str(next(daemon.stage().rglob("libpes.so.1")).parent)
        done = subprocess.run([str(word) for word in pes], capture_output=True, env=env, check=False, timeout=60)
        assert done.returncode == 2 and b"fetched again" in done.stderr, done
        assert b"1 of 1" in updater.good()
        assert not {"If-None-Match", "If-Modified-Since"} & set(server.asked[-1][1]), server.asked
        assert not (updater.staging / ".incomplete").exists()
        # A server that names nothing is asked by the time of what is there.
        (updater.staging / ".etag.a").unlink()
        server.answers["/a"] = lambda handler: handler.reply(304 if "If-Modified-Since" in handler.headers else 200, b"one")
        assert b"0 of 1" in updater.good()


def certificate():
    path = daemon.folder() / "server.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=pes-test".split()
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", str(path) + ".crt"], check=True, capture_output=True)
    path.write_text(path.read_text() + pathlib.Path(str(path) + ".crt").read_text())
    return path, {"CURL_CA_BUNDLE": str(path) + ".crt"}


def test_https():
    """https is spoken with whom a certificate vouches for, and no way leads from it to http or a file"""
    need("curl")
    need("openssl")
    updater = Updater()
    pem, env = certificate()
    with mirror.Mirror(pem) as server, mirror.Mirror() as plain:
        server.answers["/a"] = b"one"
        updater.write(f'files = {{ "a={server.url}/a" }}\n')
        updater.bad(b"certificate")
        updater.good(env=env)
        assert updater.files() == {"a": b"one"}
        plain.answers["/a"] = b"changed on the way"
        for target in (f"{plain.url}/a", "file:///etc/passwd"):
            server.answers["/a"] = lambda handler, to=target: handler.reply(302, b"", more=[("Location", to)])
            updater.bad(b"curl: ", env=env)
        assert plain.asked == []


def test_proxy():
    """the proxy of the configuration, or else of the environment, is asked"""
    need("curl")
    need("openssl")
    updater = Updater()
    pem, env = certificate()
    with mirror.Mirror(pem) as server, mirror.Mirror() as proxy:
        server.answers["/a"] = b"one"
        updater.write(f'files = {{ "a={server.url}/a" }}\nproxy = "{proxy.url}"\n')
        updater.good(env=env)
        assert proxy.asked[-1][0] == f"CONNECT {server.url[8:]}", proxy.asked
        updater.write(f'files = {{ "a={server.url}/a" }}\n')
        proxy.asked.clear()
        updater.good(env=env)
        assert proxy.asked == []
        updater.good(env=env | {"https_proxy": proxy.url})
        assert len(proxy.asked) == 1
        # Plain http, for a name that only the proxy knows.
        proxy.answers["/b"] = b"two"
        updater.write(f'files = {{ "b=http://mirror.invalid/b" }}\nallow-http = yes\nproxy = "{proxy.url}"\n')
        updater.good()
        assert proxy.asked[-1][0] == "http://mirror.invalid/b" and updater.files() == {"b": b"two"}


def test_folder():
    """a mirror that is mounted is copied where it has changed; what is no file is named, and nothing is taken"""
    updater = Updater()
    source = daemon.folder()
    (source / "a").write_text("one")
    (source / "b").write_text("two")
    (source / ".hidden").write_text("three")
    updater.write(f'folder = "{source}"\n')
    assert b"2 of 2" in updater.good()
    assert b"0 of 2" in updater.good()
    (source / "a").write_text("newer")
    (source / "b").unlink()
    assert b"1 of 1" in updater.good()
    assert updater.files() == {"a": b"newer"}
    os.mkfifo(source / "pipe")
    updater.bad(b"pipe' is not a regular file")
    (source / "pipe").unlink()
    (source / "deep").mkdir()
    updater.bad(b"deep' is not a regular file")
    (source / "deep").rmdir()
    (source / "a").unlink()
    updater.bad(b"is empty")
    (source / "a").write_text("x")
    (source / "a").chmod(0)
    if updater.user:
        updater.bad(b"Permission denied")
    updater.write(f'files = {{ "a=file://{source}/c", "b={source}/c" }}\n')
    (source / "c").write_text("both")
    updater.good()
    assert updater.files() == {"a": b"both", "b": b"both"}


MISTAKES = {
    'files = { "a=ftp://h/a" }\n': b":1: files: 'a=ftp://h/a': give an absolute path",
    'timeout = "1 min"\nfiles = {\n "a=/a",\n "../b=/b"\n}\n': b":4: files: '../b=/b': give a name that is no path",
    'files = { "a=http://h/a" }\n': b":1: files: 'a=http://h/a': anybody on the way can change it",
    'freshclam = "http://h"\n': b":1: freshclam: anybody on the way",
    'freshclam = "a ExcludeDatabase daily"\n': b":1: freshclam: give",
    'files = { "a=https://h/a b" }\n': b":1: files: 'a=https://h/a b': a blank",
    'folder = "here"\n': b":1: folder: give an absolute path",
    'folder = "/a"\nproxy = "socks9://h:1"\n': b":2: proxy: give",
    'folder = "/a"\nstale-after = 0\n': b":2: stale-after = '0'",
    'folder = "/a"\nfreshclam = "h"\n': b"more than one source is given",
    "stale-after = 3\n": b"no source is given",
    'folder = "/a"\nfoldr = "/b"\n': b":2: ",
}


def test_configuration():
    """every mistake is told with its file and line, and nothing is done"""
    updater = Updater()
    for text, why in MISTAKES.items():
        updater.write(text)
        updater.bad(b"updates.d/yara.conf" + why if why.startswith(b":") else why, code=2)
    (updater.top / "updates.d" / "yara.conf").unlink()
    updater.bad(b"make one that says where", code=2)
    done = updater.fetch("../yara")
    assert done.returncode == 64, done


def test_rights():
    """it does not run as root, fills no folder that others may fill, and only one run fills it"""
    updater = Updater()
    source = daemon.folder()
    (source / "a").write_text("one")
    updater.write(f'folder = "{source}"\n')
    if os.geteuid() == 0:
        done = updater.fetch(as_root=True)
        assert done.returncode == 64 and b"not as root" in done.stderr, done
    updater.staging.chmod(0o777)
    updater.bad(b"is not yours alone")
    updater.staging.chmod(0o755)
    if updater.user:
        os.chown(updater.staging, 0, 0)
        updater.bad(b"is not yours alone")
        os.chown(updater.staging, updater.user.pw_uid, updater.user.pw_gid)
    updater.good()
    holder = subprocess.Popen(["flock", "--no-fork", updater.staging / ".lock", "sh", "-c", "echo held; exec sleep 60"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        updater.bad(b"is being filled by another run")
    finally:
        holder.kill()
        holder.wait()


def test_freshclam_fails():
    """freshclam asks the private mirror that is configured; what it cannot verify is not taken"""
    need("freshclam")
    updater = Updater("clamav")
    with mirror.Mirror() as server:
        for name in ("main", "daily", "bytecode"):
            server.answers[f"/{name}.cvd"] = b"ClamAV-VDB:25 Nov 2026 00-00 +0000:1:1:90:" + b"0" * 32 + b":x:nobody:1".ljust(470)
        updater.write(f'freshclam = "{server.url}"\nallow-http = yes\ntimeout = "60 s"\n')
        updater.bad(b"freshclam ends with status")
        assert any(path.endswith(".cvd") for path, _ in server.asked), server.asked


STAND_IN = """#!/bin/sh
# Does what freshclam is told, without ClamAV's signatures: takes daily.cvd from the private mirror.
for word; do case $word in --config-file=*) config=${word#*=} ;; esac; done
value() { sed -n "s/^$1 //p" "$config"; }
[ "$(value TestDatabases)" = no ] && [ "$(value HTTPProxyPort)" = 3128 ] || exit 9
cd "$(value DatabaseDirectory)" || exit 8
echo state > freshclam.dat
exec curl --disable --silent --fail --output daily.cvd "$(value PrivateMirror)/daily.cvd"
"""


def test_freshclam_succeeds():
    """what a freshclam (here one that stands in for it) has brought is taken, without its own files"""
    need("curl")
    updater = Updater("clamav")
    bin_folder = daemon.folder()
    (bin_folder / "freshclam").write_text(STAND_IN)
    (bin_folder / "freshclam").chmod(0o755)
    env = {"PATH": f"{bin_folder}:{os.environ['PATH']}"}
    with mirror.Mirror() as server:
        server.answers["/clamav/daily.cvd"] = b"one"
        updater.write(f'freshclam = "{server.url}/clamav"\nallow-http = yes\nproxy = "http://proxy.invalid:3128"\n')
        assert b"1 of 1" in updater.good(env=env)
        assert updater.files() == {"daily.cvd": b"one"}
        server.answers["/clamav/daily.cvd"] = b"newer"
        updater.good(env=env)
        assert updater.files() == {"daily.cvd": b"newer"}
        del server.answers["/clamav/daily.cvd"]
        updater.bad(b"freshclam ends with status 22", env=env)


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
