"""Runs bench_load and reads what it measured."""
import json
import statistics
import subprocess

from lib.service import fail


class Turns:
    """The lines of one bench_load: one for each repeat, case and side."""

    def __init__(self, lines):
        self.lines = lines

    def of(self, side, n_bytes=None, clients=None):
        return [line for line in self.lines if line["side"] == side and
                n_bytes in (None, line["bytes"]) and clients in (None, line["clients"])]

    def value(self, field, side, n_bytes=None, clients=None):
        """The median over the repeats."""
        return statistics.median([line[field] for line in self.of(side, n_bytes, clients)])

    def rate(self, side, n_bytes=None, clients=None):
        """Questions a second, the median over the repeats."""
        return statistics.median([line["n"] / line["wall_us"] * 1e6 for line in self.of(side, n_bytes, clients)])

    def has(self, side):
        return any(line["side"] == side for line in self.lines)

    def floor(self, field, n_bytes=None):
        """The faster relay of the same run, with one client."""
        return min(self.value(field, side, n_bytes, 1) for side in ("spread", "pinned"))


def command_of(build, sides, cases, *, engine="none", repeats=1, **options):
    command = [str(build / f"bench/bench_load_{engine}"), "--sides", ",".join(sides), "--repeats", str(repeats)]
    for n_bytes, clients, asks in cases:
        command += ["--case", f"{n_bytes}:{clients}:{asks}"]
    for name, value in options.items():
        if value is True:
            command.append(f"--{name}")
        elif value not in (None, False, 0):
            command += [f"--{name}", str(value)]
    return command


def load(service, sides, cases, **options):
    """Measures; `service` may be None for sides that ask nobody."""
    build = options.pop("build", None) or service.build
    done = subprocess.run(command_of(build, sides, cases, **options), env=service.env if service else None,
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        fail(f"measuring {', '.join(sides)} failed with status {done.returncode}")
    return Turns([json.loads(line) for line in done.stdout.splitlines() if '"side"' in line])


class Beside:
    """A `with` block beside which somebody else asks all the time."""

    def __init__(self, service, case, **options):
        n_bytes, clients = case
        self.command = command_of(service.build, ["pes"], [(n_bytes, clients, 10**9)], **options)
        self.env = service.env

    def __enter__(self):
        self.child = subprocess.Popen(self.command, env=self.env, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        if self.child.poll() is not None:
            fail("what was to ask beside has ended")
        self.child.kill()
        self.child.wait()
