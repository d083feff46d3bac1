#!/usr/bin/env python3
"""The escape kit, loaded by the real daemon as a provider's module: in user mode, and in system mode."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

USERS = "users { broker = 64001 identity = 64002 receiver = 64003 provider-base = 64016 }\n"
PROVIDERS_MAX = 16
REFUSALS = {"EPERM", "EACCES", "ENOSYS", "SIGSYS"}

# By design (tests/escape/kit_*.c says why): while a module loads, program text is mapped and names are looked up.
ZYGOTE_MAY = {
    "V10-stat",
    "V10-access",
    "V10-readlink",
    "V17-executable",
    "V17-executable-writable",
    "V17-executable-file",
    "V17-executable-later",
    "V17-content-executable",
    "V8-content-writable",
}
SANITIZER_MAY = {"V6-pipe", "V10-readlink"} if os.environ["PES_SANITIZE"] != "none" else set()


def attempts():
    """The names of the kit's table."""
    done = subprocess.run([os.environ["PES_ESCAPE_LIST"]], capture_output=True, text=True, check=True)
    return done.stdout.split()


def start(is_user, providers):
    """A daemon with such providers; the kit's module is put beside the others."""
    module = daemon.providers_folder() / "escape_kit.so"
    shutil.copy(os.environ["PES_ESCAPE_KIT"], module)
    module.chmod(0o755)
    if not is_user and os.geteuid() != 0:
        tap.skip("system mode needs root")
    config = daemon.config_folder("" if is_user else USERS, providers)
    return daemon.Pesd(config=config, user=is_user)


def settings(attempt=None):
    option = f'options = {{"attempt={attempt}"}}\n' if attempt else ""
    return 'module = "escape_kit.so"\nworkers = 2\n' + option


def report(where, results, granted):
    """Prints the table; none may have got out."""
    for name, result in results.items():
        print(f"# {where}: {name}: {result}")
    out = {name: result for name, result in results.items() if result not in REFUSALS and name not in granted}
    assert not out, out
    assert len(results) >= 60, len(results)


def in_workers(is_user):
    results = {}
    with start(is_user, {"kit": settings()}).wait_ready() as pesd:
        broker = pesd.pids_of("pes-broker")
        for name in attempts():
            (part,) = pesd.scan(name.encode())["providers"]
            if part["status"] == "ok":
                results[name] = part["findings"][0]["detection"]
            else:
                results[name] = part["signal"]
        assert pesd.pids_of("pes-broker") == broker
        assert pesd.process.poll() is None
    report("worker", results, SANITIZER_MAY)


def in_zygotes(is_user):
    results = {}
    names = attempts()
    for at in range(0, len(names), PROVIDERS_MAX):
        batch = {f"kit-{i}": name for i, name in enumerate(names[at : at + PROVIDERS_MAX])}
        with start(is_user, {key: settings(name) for key, name in batch.items()}) as pesd:
            for key, name in batch.items():
                match = pesd.wait_log(f"provider '{key}'(: '(died by \\w+)| is ready)", seconds=60)
                results[name] = match.group(2).removeprefix("died by ") if match.group(2) else "ready"
            pesd.wait_ready()
            for provider in json.loads(pesd.run("pes", "providers", "--json").stdout)["providers"]:
                if results[batch[provider["name"]]] == "ready":
                    results[batch[provider["name"]]] = provider["definitions"]
    report("zygote", results, ZYGOTE_MAY | SANITIZER_MAY)


def test_user_worker():
    """R8: nothing gets out of a worker in user mode"""
    in_workers(True)


def test_user_zygote():
    """R8: nothing gets out of a zygote in user mode"""
    in_zygotes(True)


def test_system_worker():
    """R8: nothing gets out of a worker in system mode"""
    in_workers(False)


def test_system_zygote():
    """R8: nothing gets out of a zygote in system mode"""
    in_zygotes(False)


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
