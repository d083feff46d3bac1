"""What is measured: one function for each group of rows. Every peer of a row is measured in the same run."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from lib import definitions
from lib.load import Beside, load
from lib.service import GIB, Clamd, Service, memory_kib, process_named, raise_files, usage_between

KIB, MIB = 1 << 10, 1 << 20
# A worker maps the content into the address space that it may have.
EICAR = {"eicar": 'module = "eicar.so"\nmemory-mib = 2048\n'}
SCRIPTED = 'module = "scripted.so"\n'
PRINTABLE = {256: "256 B", 4 * KIB: "4 KiB", 32 * KIB: "32 KiB", 64 * KIB: "64 KiB", MIB: "1 MiB", 16 * MIB: "16 MiB",
             256 * MIB: "256 MiB", GIB: "1 GiB"}


class Plan:
    """How much is asked: all of it, or a moment only, for whether it works."""

    def __init__(self, is_smoke):
        self.is_smoke = is_smoke
        self.repeats = 1 if is_smoke else 5
        self.n_cpus = len(os.sched_getaffinity(0))

    def asks(self, n):
        return max(2, n // 100) if self.is_smoke else n

    def pick(self, full, smoke):
        return smoke if self.is_smoke else full


def round_trip(build, plan, report):
    small = [(256, 1, plan.asks(600)), (4 * KIB, 1, plan.asks(1000)), (32 * KIB, 1, plan.asks(400)),
             (64 * KIB, 1, plan.asks(200)), (MIB, 1, plan.asks(40))]
    large = plan.pick([(16 * MIB, 1, 4), (256 * MIB, 1, 1), (GIB, 1, 1)], [(16 * MIB, 1, 1)])
    clients = plan.pick([1, 2, 4, 8, 16, 32, 64], [1, 4])
    with Service(build, EICAR) as service:
        turns = report.add_turns("round trip", load(service, ["spread", "pes", "pinned", "pes", "copy", "hash"], small,
                                                    repeats=plan.repeats))
        for field, name in (("p50_us", "p50"), ("p99_us", "p99")):
            floor, pes = turns.floor(field, 4 * KIB), turns.value(field, "pes", 4 * KIB)
            report.row(f"round trip of 4 KiB, one client, {name}, over the faster floor", "<= 1.5", pes / floor,
                       f"{pes:.0f} over {floor:.0f} us; floor spread {turns.value(field, 'spread', 4 * KIB):.0f}")
        big = report.add_turns("large content", load(service, ["copy", "pes", "hash"], large,
                                                     repeats=plan.pick(3, 1)))
        sizes(report, turns, [case[0] for case in small], big, [case[0] for case in large])
        wake_ups(service, plan, report)
        beside_large(service, plan, report)
        many = report.add_turns("clients", load(service, ["pes"], [(4 * KIB, n, plan.asks(2000)) for n in clients],
                                                repeats=plan.pick(3, 1)))
        for n in clients:
            report.point("clients", "wait, p50", n, many.value("p50_us", "pes", clients=n))
            report.point("clients", "one question in", n, 1e6 / many.rate("pes", clients=n))
        report.row(f"one question in, with {clients[-1]} busy clients, over one alone", "<= 1.2",
                   many.rate("pes", clients=1) / many.rate("pes", clients=clients[-1]),
                   f"{many.rate('pes', clients=clients[-1]):.0f} over {many.rate('pes', clients=1):.0f} a second")


def sizes(report, turns, small, big, large):
    for n_bytes in small + large:
        one = turns if n_bytes in small else big
        report.point("size", "pes", n_bytes, one.value("p50_us", "pes", n_bytes))
        report.point("size", "copy", n_bytes, one.value("p50_us", "copy", n_bytes))
        report.point("size", "hash", n_bytes, one.value("p50_us", "hash", n_bytes))
        if n_bytes in small:
            report.point("size", "floor", n_bytes, turns.floor("p50_us", n_bytes))
    for n_bytes in [n for n in small + large if n > 32 * KIB]:
        one = turns if n_bytes in small else big
        pes, copy, hashing = (one.value("p50_us", side, n_bytes) for side in ("pes", "copy", "hash"))
        report.row(f"{PRINTABLE[n_bytes]}, one client, p50, over one copy and one pass of SHA-256", "",
                   pes / (copy + hashing), f"{pes:.0f} over {copy:.0f} + {hashing:.0f} us")


def wake_ups(service, plan, report):
    """Of every process, while nothing but this is asked."""
    before = service.usage()
    turns = report.add_turns("wake-ups", load(service, ["pes"], [(4 * KIB, 1, plan.asks(3000))]))
    used = usage_between(before, service.usage())
    (line,) = turns.lines
    n = line["n"]
    parts = [("client", line["cpu_us"], line["waits"])] + [(name, *value) for name, value in sorted(used.items())]
    busy = [part for part in parts if part[1] / n >= 0.5]
    report.row("wake-ups for one question of 4 KiB", "", sum(part[2] for part in parts) / n,
               ", ".join(f"{name} {waits / n:.2f}" for name, _, waits in busy))
    report.row("us on a CPU for one question of 4 KiB", "", sum(part[1] for part in parts) / n,
               ", ".join(f"{name} {cpu / n:.1f}" for name, cpu, _ in busy))


def beside_large(service, plan, report):
    case = [(256, 1, plan.asks(2000))]
    n_bytes = plan.pick(64 * MIB, MIB)
    alone, beside = [], []
    for _ in range(plan.pick(3, 1)):
        alone.append(load(service, ["pes"], case))
        with Beside(service, (n_bytes, 1)):
            beside.append(load(service, ["pes"], case))
    ratio_row(report, "small content beside another client's 64 MiB, p99, over alone", "", alone, beside, "p99_us")


def ratio_row(report, figure, limit, alone, beside, field):
    """The median of ratios, each of two turns that followed each other."""
    pairs = sorted((b.value(field, "pes") / a.value(field, "pes"), a.value(field, "pes"), b.value(field, "pes"))
                   for a, b in zip(alone, beside))
    ratio, first, second = pairs[len(pairs) // 2]
    report.row(figure, limit, ratio, f"{second:.0f} over {first:.0f} us")


def yara(build, plan, report):
    if not (build / "bench/bench_load_yara").exists():
        report.skip("libyara through pes", "", "this build has no libyara")
        return
    with tempfile.TemporaryDirectory(prefix="pes-bench.") as name:
        os.chmod(name, 0o755)
        rules = pathlib.Path(name) / "rules"
        what = definitions.yara(rules, plan.is_smoke)
        many = max(4, 2 * plan.n_cpus)
        conf = f'module = "yara.so"\ndefinitions = "{rules}"\nworkers = {min(16, max(2, plan.n_cpus))}\n'
        common = {"engine": "yara", "rules": rules, "marked": True}
        with Service(build, {"yara": conf}) as service:
            one = report.add_turns("yara", load(
                service, ["spread", "engine", "pes", "pinned", "copy"], [(4 * KIB, 1, plan.asks(500)), (64 * KIB, 1, plan.asks(60))],
                repeats=plan.repeats, **common))
            all_of = report.add_turns("yara", load(
                service, ["engine", "pes"], [(n, clients, plan.asks(asks)) for n, asks in ((4 * KIB, 1000), (64 * KIB, 100))
                                             for clients in (plan.n_cpus, many)], repeats=plan.repeats, **common))
            for n_bytes, limit in ((4 * KIB, ">= 0.92"), (64 * KIB, ">= 0.97")):
                throughput(report, f"libyara ({what}), {PRINTABLE[n_bytes]}", limit, one, all_of, n_bytes,
                           (1, plan.n_cpus, many))
            for n_bytes in (4 * KIB, 64 * KIB):
                added(report, f"libyara, {PRINTABLE[n_bytes]}", one, n_bytes)
            for hits in (0, 10, 50, 100):
                turns = report.add_turns(f"hits {hits} %", load(service, ["engine", "pes"], [(4 * KIB, 1, plan.asks(300))],
                                                                repeats=plan.repeats, hits=hits, **common))
                pes, engine = turns.value("p50_us", "pes"), turns.value("p50_us", "engine")
                report.row(f"libyara, 4 KiB, {hits} % with a finding, p50, over in-process", "", pes / engine,
                           f"{pes:.0f} over {engine:.0f} us")
            report.skip("repeat of content already answered, over in-process libyara", ">= 50",
                        "the verdict page is not there yet, so nothing is remembered")


def throughput(report, name, limit, one, many, n_bytes, clients):
    for n in clients:
        turns = one if n == 1 else many
        pes, engine = turns.rate("pes", n_bytes, n), turns.rate("engine", n_bytes, n)
        report.row(f"{name}, {n} clients: throughput over in-process" if n > 1 else
                   f"{name}, 1 client: throughput over in-process", limit, pes / engine,
                   f"{pes:.0f} over {engine:.0f} a second")


def added(report, name, turns, n_bytes):
    """What a question waits longer than in-process, in floors; content above 32 KiB is copied once besides."""
    pes, engine = turns.value("p50_us", "pes", n_bytes), turns.value("p50_us", "engine", n_bytes)
    floor = turns.floor("p50_us", n_bytes) + (turns.value("p50_us", "copy", n_bytes) if n_bytes > 32 * KIB else 0)
    report.row(f"{name}, 1 client: p50 beyond in-process, over the floor", "<= 1.5", (pes - engine) / floor,
               f"{pes:.0f} - {engine:.0f} us over {floor:.0f}")


def clamav(build, plan, report):
    if not (build / "bench/bench_load_clamav").exists():
        report.skip("libclamav through pes", "", "this build has no libclamav")
        return
    with tempfile.TemporaryDirectory(prefix="pes-bench.") as name:
        os.chmod(name, 0o755)
        signatures = pathlib.Path(name) / "signatures"
        what = definitions.clamav(signatures, plan.is_smoke)
        conf = (f'module = "clamav.so"\ndefinitions = "{signatures}"\nscratch-mib = 256\n'
                f"workers = {min(16, max(2, plan.n_cpus))}\n")
        with Service(build, {"clamav": conf}) as service, Clamd(signatures) as clamd:
            peers = ["fildes", "instream", "fildes-kept", "instream-kept"] if clamd.path else []
            common = {"engine": "clamav", "rules": signatures, "marked": True, "clamd": clamd.path}
            one = report.add_turns("clamav", load(service, ["spread", "engine", "pes", *peers, "pinned"],
                                                  [(4 * KIB, 1, plan.asks(300))], repeats=plan.repeats, **common))
            many = report.add_turns("clamav", load(service, ["engine", "pes", *peers],
                                                   [(4 * KIB, n, plan.asks(400)) for n in (plan.n_cpus, 8)],
                                                   repeats=plan.repeats, **common))
            added(report, f"libclamav ({what}), 4 KiB", one, 4 * KIB)
            throughput(report, "libclamav, 4 KiB", ">= 0.95", one, many, 4 * KIB, (1, plan.n_cpus, 8))
            if not clamd.path:
                report.skip("libclamav, 4 KiB, against clamd", "", clamd.why)
                return
            for n in (1, plan.n_cpus, 8):
                against_clamd(report, one if n == 1 else many, peers, n)
            large = report.add_turns("50 MiB", load(service, ["pes", "instream", "fildes"],
                                                    [(plan.pick(50, 1) * MIB, 1, 1)], repeats=plan.pick(3, 1), **common))
            pes, instream = large.value("p50_us", "pes"), large.value("p50_us", "instream")
            report.row(f"libclamav, {plan.pick(50, 1)} MiB, over clamd's INSTREAM", "<= 1", pes / instream,
                       f"{pes / 1e3:.0f} over {instream / 1e3:.0f} ms")
            reload(service, clamd, conf, plan, report)


def against_clamd(report, turns, peers, n):
    best = max(peers, key=lambda side: turns.rate(side, 4 * KIB, n))
    report.row(f"libclamav, 4 KiB, clients: {n}, throughput over clamd's best", ">= 1",
               turns.rate("pes", 4 * KIB, n) / turns.rate(best, 4 * KIB, n), f"clamd's best is {best}")
    steady = min(peers, key=lambda side: turns.value("p99_us", side, 4 * KIB, n))
    pes, clamd = turns.value("p99_us", "pes", 4 * KIB, n), turns.value("p99_us", steady, 4 * KIB, n)
    report.row(f"libclamav, 4 KiB, clients: {n}, p99 over clamd's lowest", "<= 0.7", pes / clamd,
               f"{pes:.0f} over {clamd:.0f} us ({steady})")


class PeakMemory:
    """A `with` block during which the memory of processes is looked at again and again."""

    def __init__(self, pids_now):
        self.pids_now, self.peak, self.child = pids_now, 0, None

    def until(self, is_over, most_s):
        deadline = time.monotonic() + most_s
        while not is_over():
            self.peak = max(self.peak, memory_kib(self.pids_now()))
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def reload(service, clamd, conf, plan, report):
    """Twice: once for how long it takes and what memory it needs, and once under load of about that length."""
    def start(n):
        service.configure("clamav", conf + f'options = {{"bench-generation={n}"}}\n')
        os.kill(service.pid, 1)

    def is_ready(n):
        return f"is ready (generation {n})" in service.log.read_text(errors="replace")

    before = memory_kib(service.processes())
    peak = PeakMemory(service.processes)
    began = time.monotonic()
    start(2)
    if not peak.until(lambda: is_ready(2), 120):
        report.skip("definitions reload", "<= 1.2", "the new generation did not come: " +
                    service.log.read_text(errors="replace")[-200:].replace("\n", " "))
        return
    took = time.monotonic() - began
    theirs = PeakMemory(lambda: [clamd.pid])
    clamd_before = memory_kib([clamd.pid])
    clamd.command("RELOAD")
    until = time.monotonic() + 1.5 * took + 1
    theirs.until(lambda: time.monotonic() > until, 120)
    report.row("definitions reload, peak memory over clamd's", "<= 1", peak.peak / theirs.peak,
               f"{peak.peak / 1024:.0f} (before: {before / 1024:.0f}) over {theirs.peak / 1024:.0f} "
               f"(before: {clamd_before / 1024:.0f}) MiB; {took:.1f} s")
    rate = load(service, ["pes"], [(4 * KIB, 1, plan.asks(500))]).rate("pes")
    case = [(4 * KIB, 1, max(10, int(rate * took * 0.8)))]
    alone = load(service, ["pes"], case)
    start(3)
    during = load(service, ["pes"], case)
    ratio_row(report, "definitions reload, 4 KiB, p99 meanwhile, over p99 without", "<= 1.2", [alone], [during], "p99_us")
    clamd_alone = load(None, ["fildes"], case, build=service.build, clamd=clamd.path)
    clamd.command("RELOAD")
    clamd_during = load(None, ["fildes"], case, build=service.build, clamd=clamd.path)
    report.row("the same of clamd, FILDES", "", clamd_during.value("p99_us", "fildes") /
               clamd_alone.value("p99_us", "fildes"), f"longest {clamd_during.value('max_us', 'fildes') / 1e3:.1f} ms; "
               f"pes's longest {during.value('max_us', 'pes') / 1e3:.1f} ms")


def providers(build, plan, report):
    floors, quick, slow, cost = [], {}, {}, {}
    for k in plan.pick([1, 2, 4, 8], [1, 2]):
        with Service(build, {f"equal{i}": SCRIPTED for i in range(k)}) as service:
            before = service.usage()
            turns = report.add_turns(f"{k} providers", load(service, ["pes"], [(4 * KIB, 1, plan.asks(1500))]))
            used = usage_between(before, service.usage())
            (line,) = turns.lines
            cost[k] = (line["cpu_us"] + sum(value[0] for value in used.values())) / line["n"]
            quick[k] = line["p50_us"]
            floors.append(load(service, ["pinned"], [(4 * KIB, 1, plan.asks(500))]).value("p50_us", "pinned"))
            slow[k] = report.add_turns(f"{k} providers that sleep", load(
                service, ["pes"], [(4 * KIB, 1, plan.asks(30))], prefix="PES-SCRIPT: sleep 20\n")).value("p50_us", "pes")
        report.point("providers", "answer at once, p50", k, quick[k])
        report.point("providers", "sleep 20 ms, p50", k, slow[k])
        report.point("providers", "CPU time", k, cost[k])
    most = max(slow)
    report.row(f"{most} equal providers that wait 20 ms, wall time over one", "<= 1.2", slow[most] / slow[1],
               f"{slow[most] / 1e3:.1f} over {slow[1] / 1e3:.1f} ms")
    floor = sorted(floors)[len(floors) // 2]
    each = (cost[most] - cost[1]) / (most - 1)
    report.row(f"CPU time of an added provider, 1 to {most}, over two hops on one CPU", "<= 1", each / floor,
               f"{each:.1f} over {floor:.1f} us")


def idle(build, plan, report):
    wanted = plan.pick(10_000, 50)
    name = f"4 KiB beside {wanted} idle clients, p50, over none"
    if os.geteuid() != 0 and wanted > 4000:
        report.skip(name, "<= 1.2", "one user may have 4,096 connections; run as root for ten thousand")
        return
    if raise_files(wanted + 4096) < wanted + 1024:
        report.skip(name, "<= 1.2", f"this process may not have {wanted} descriptors")
        return
    case = [(4 * KIB, 1, plan.asks(1000))]
    alone, beside, grown = [], [], []
    with Service(build, EICAR, max_files=wanted + 4096) as service:
        broker = process_named(service.processes(), "pes-broker")
        for _ in range(plan.pick(3, 1)):
            before = memory_kib([broker], "Rss")
            alone.append(report.add_turns("no idle clients", load(service, ["pes"], case)))
            holder = subprocess.Popen([str(build / "bench/bench_load_none"), "--idle", str(wanted)], env=service.env,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            if not holder.stdout.readline():
                report.skip(name, "<= 1.2", "the idle clients could not all connect")
                return
            beside.append(report.add_turns("idle clients", load(service, ["pes"], case)))
            grown.append((memory_kib([broker], "Rss"), before))
            holder.stdin.close()
            holder.wait()
    ratio_row(report, name, "<= 1.2", alone, beside, "p50_us")
    most, before = grown[0]
    report.row(f"memory of the broker with {wanted} sessions, over 32 MiB + 2 KiB each", "<= 1",
               most / (32 * 1024 + 2 * wanted), f"{most / 1024:.1f} MiB; without them {before / 1024:.1f}")


def slow_provider(build, plan, report):
    case = [(4 * KIB, 1, plan.asks(1500))]
    alone, beside = [], []
    with Service(build, {"fast": SCRIPTED, "slow": SCRIPTED + 'options = {"only=slow"}\n'}) as service:
        for _ in range(plan.pick(3, 1)):
            alone.append(report.add_turns("no slow client", load(service, ["pes"], case)))
            with Beside(service, (4 * KIB, 1), prefix="PES-SCRIPT: @slow sleep 2000\n"):
                time.sleep(0.2)
                beside.append(report.add_turns("beside a slow client", load(service, ["pes"], case)))
    ratio_row(report, "beside a client whose scans take 2 s, other clients' p99, over without", "<= 1.2", alone, beside,
              "p99_us")


def start(build, plan, report):
    """Once beside a running daemon, whose installed files and account are used."""
    took = []
    with Service(build, EICAR) as service:
        for _ in range(plan.repeats):
            took.append(start_once(service))
    took.sort()
    report.row("start of pesd to the first full answer, in 150 ms", "<= 1", took[len(took) // 2] / 150,
               f"{took[len(took) // 2]:.0f} ms, in a sandboxed process: providers are not embedded")


def start_once(service):
    folder = service.log.parent / "bench-start"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    owner = service.log.parent / "runtime"
    os.chown(folder, owner.stat().st_uid, owner.stat().st_gid)
    drop = ["--drop-to", str(owner.stat().st_uid)] if os.geteuid() == 0 else []
    env = dict(service.env, PES_RUNTIME_DIR=str(folder))
    stage = pathlib.Path(service.env["PES_PRIVATE_STAGE"])
    began = time.monotonic()
    daemon = subprocess.Popen([str(stage / "sbin/pesd"), "--user", "--allow-unsigned", "--runtime", str(folder), *drop,
                               "--config", str(service.log.parent / "config")], env=env, cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True)
    try:
        done = subprocess.run([str(service.build / "bench/bench_load_none"), "--first"], env=env, stdout=subprocess.PIPE,
                              text=True, check=True)
        return (float(done.stdout.split(":")[1].strip(" }\n")) / 1e6 - began) * 1e3
    finally:
        daemon.terminate()
        daemon.wait()


def telemetry(build, plan, report):
    report.skip("telemetry on, throughput lost over compiled out", "<= 0.01", "there is no build without it to compare with")


ALL = [round_trip, yara, clamav, providers, idle, slow_provider, start, telemetry]
