"""R11, R12, R15: the broker is killed, replaced, upgraded, starved."""
import os
import signal
import time

import daemon
import world
from asking import CLEAN, SAMPLE, Asker, Probe, numbered, percentile
from supervision import Activator
from upgrade import zygotes

def judge_honest(rows):
    """Each has an answer: the right one, or one that says why there is none. How many of the latter."""
    n_without = 0
    for row in rows:
        if row.error == 0 and row.coverage == "full":
            assert row.verdict == ("test_sample" if row.question == SAMPLE else "not_detected"), row
        else:
            assert row.verdict in ("none", "not_detected", "test_sample"), row
            assert row.error != 0 or row.decided_by in ("fail_policy", "client_policy", "verdict"), row
            n_without += 1
    return n_without


def ever(*questions):
    while True:
        yield from questions


def first_verdict_ms(pesd, since):
    """How long from `since` until a question is answered in full."""
    while True:
        (row,) = Asker(pesd, [SAMPLE]).wait().rows
        if row.error == 0 and row.coverage == "full":
            return (time.monotonic() - since) * 1000
        assert time.monotonic() - since < 20, row


def r11(amount):
    """R11: the broker is killed under load, without an orphan and without a client that waits for ever"""
    n_kills = amount.of(4, 40)
    back = []
    with world.start().wait_ready() as pesd:
        first_verdict_ms(pesd, time.monotonic())
        n_calm = len(daemon.descendants(pesd.pid))
        askers = [Asker(pesd, ever(CLEAN, SAMPLE), 50) for _ in range(4)]
        for _ in range(n_kills):
            broker = world.broker_of(pesd)
            began = time.monotonic()
            os.kill(broker, signal.SIGKILL)
            back.append(first_verdict_ms(pesd, began))
            world.drain(pesd)
            time.sleep(2.1)  # five starts within ten seconds are free; more have to wait, as they should
        rows = [row for asker in askers for row in asker.stop().rows]
        for row in rows:
            assert row.wall_us / 1000 <= 2000 + amount.slack_ms, row
        everything = daemon.descendants(pesd.pid)
        assert len(everything) <= n_calm + 2, (n_calm, sorted(map(daemon.command_of, everything)))
        watch = daemon.Watch(everything)
        pesd.process.kill()
        assert not watch.wait(2), "pesd was killed, and left somebody behind"
        figures = {"kills": n_kills, "questions": len(rows), "without_broker": judge_honest(rows)}
        return {**figures, "back_p99_ms": round(percentile(back, 0.99))}


def r12(amount):
    """R12: the service is replaced under load without a failed question"""
    activator = Activator()
    pesd = activator.start().wait_ready()
    first = pesd  # its policy and paths are good for the others, too
    askers = [Asker(first, ever(CLEAN), 125, timeout_ms=10000) for _ in range(4)]
    n = amount.of(3, 100)
    for _ in range(n):
        time.sleep(0.3)
        assert pesd.stop(15) == 0
        pesd = activator.start().wait_ready()
    rows = [row for asker in askers for row in asker.stop().rows]
    pesd.kill()
    failed = [row for row in rows if row.error or row.coverage != "full" or row.verdict != "not_detected"]
    assert not failed, failed[:3]
    return {"upgrades": n, "questions": len(rows), "longest_ms": round(max(row.wall_us for row in rows) / 1000)}


def upgrade(pesd):
    """Replaces the broker; how long that took, in ms."""
    world.drain(pesd)
    since = len(pesd.lines)
    pesd.process.send_signal(signal.SIGUSR2)
    return int(pesd.wait_log(r"upgrade: pes-broker is upgraded, in (\d+) ms", since=since)[1])


def r12_live(amount):
    """R12: the broker is upgraded under load without a failed question, and the zygotes are kept"""
    n = amount.of(3, 100)
    with world.start().wait_ready() as pesd:
        kept = zygotes(pesd)
        calm = Asker(pesd, ever(CLEAN), 125, timeout_ms=10000)
        time.sleep(2)
        calm = [row.wall_us / 1000 for row in calm.stop().rows]
        began = time.monotonic()
        askers = [Asker(pesd, ever(CLEAN), 125, timeout_ms=10000) for _ in range(4)]
        took = []
        for _ in range(n):
            time.sleep(0.3)
            took.append(upgrade(pesd))
        rows = [row for asker in askers for row in asker.stop().rows]
        seconds = time.monotonic() - began
        failed = [row for row in rows if row.error or row.coverage != "full" or row.verdict != "not_detected"]
        assert not failed, failed[:3]
        assert zygotes(pesd) == kept, "a zygote was replaced"
        assert len(pesd.pids_of("pes-broker")) == len(pesd.pids_of("pes-identity")) == 1
        longest = max(row.wall_us for row in rows) / 1000
        added = longest - percentile(calm, 0.5)
        assert added <= (250 if amount.slack_ms == world.DEADLINE_SLACK_MS else 5000), f"a question took {added:.0f} ms longer"
        return {
            "upgrades": n,
            "questions": len(rows),
            "per_second": round(len(rows) / seconds),
            "upgrade_p50_ms": percentile(took, 0.5),
            "p99_ms": round(percentile([row.wall_us / 1000 for row in rows], 0.99), 1),
            "longest_ms": round(longest),
        }


def starved(n_files):
    """A pesd with so few descriptors: it serves, or says what is missing and ends. How it went."""
    with world.start({"eicar": world.PROVIDERS["eicar"]}, before=["prlimit", f"--nofile={n_files}"]) as pesd:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and pesd.process.poll() is None:
            pesd.read_log(0.1)
            rows = Asker(pesd, [SAMPLE, CLEAN]).wait().rows
            if judge_honest(rows) == 0:
                return "served"
        assert pesd.lines, f"{n_files} descriptors: neither served nor said a word"
        return "refused"


def r15_files(amount):
    """R15: with too few descriptors the service serves, or says what is missing"""
    step = amount.of(45, 5)
    went = {n: starved(n) for n in range(20, 201, step)}
    assert went[max(went)] == "served", went
    return {"limits": len(went), "served_from": min(n for n, how in went.items() if how == "served")}


def r15_log(amount):
    """R15: a log that nobody reads holds nobody up"""
    n = amount.of(40, 2000)
    with world.start().wait_ready() as pesd:
        probe = Probe(pesd)
        with probe:
            rows = Asker(pesd, numbered("# PES-SCRIPT: @alpha log 20000", n)).wait().rows
        assert all(row.error == 0 for row in rows), rows
        return {"floods": n, **probe.figures()}


ROWS = [r11, r12, r12_live, r15_files, r15_log]
