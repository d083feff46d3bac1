#!/usr/bin/env python3
"""Ten thousand questions while workers are killed: each is answered, none is good without its provider.

Runs beside a private daemon (tools/private_pes run).
"""
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402
from processes import descendants  # noqa: E402

QUESTIONS = 10000
SECONDS = 60


def ask_and_kill(folder):
    """Asks everything, ending a worker every 10 ms; the rows, the kills and the time it took."""
    lines = os.path.join(folder, "lines")
    rows = os.path.join(folder, "rows")
    pathlib.Path(lines).write_text("".join(f"echo question {i}\n" for i in range(QUESTIONS)))
    start = time.monotonic()
    kills = 0
    with open(rows, "wb") as out:
        pes = subprocess.Popen(["pes", "scan", "--lines", "--json", "--kind", "command.pasted", lines], stdout=out)
        while pes.poll() is None:
            workers = descendants("pes-worker")
            if workers:
                try:
                    os.kill(random.choice(workers), signal.SIGSEGV)
                    kills += 1
                except ProcessLookupError:
                    pass
            time.sleep(0.01)
    took = time.monotonic() - start
    return [json.loads(row) for row in open(rows, encoding="utf-8")], kills, took, pes.returncode


def report():
    return json.loads(subprocess.run(["pes", "report", "--json"], capture_output=True, text=True, check=True).stdout)


def test_questions_while_workers_die():
    """ten thousand questions are answered while workers die of SIGSEGV"""
    brokers = descendants("pes-broker")
    with tempfile.TemporaryDirectory() as folder:
        rows, kills, took, status = ask_and_kill(folder)
    assert len(rows) == QUESTIONS, len(rows)
    assert [row["item"] for row in rows] == list(range(1, QUESTIONS + 1))
    assert took < SECONDS, f"{took:.1f} s"
    assert kills > 50, kills
    assert status == 3, status
    crashed = collections.Counter()
    asked = {part["name"] for part in rows[0]["providers"]}
    assert {"eicar", "yara"} <= asked, asked
    for row in rows:
        assert {part["name"] for part in row["providers"]} == asked, row
        missing = [part for part in row["providers"] if part["status"] != "ok"]
        crashed.update((part["name"], part["status"], part["signal"]) for part in missing)
        if missing:
            assert row["coverage"] in ("partial_providers", "not_examined"), row
            assert row["decided_by"] == "fail_policy", row
            assert row["verdict"] in ("none", "not_detected"), row
        else:
            assert row["coverage"] == "full", row
    assert crashed and all(status == "crashed" and number == "SIGSEGV" for _, status, number in crashed), crashed
    assert descendants("pes-broker") == brokers
    for row in report()["providers"]:
        if row["name"] in asked:
            assert row["signals"].get("SIGSEGV", 0) > 0, row
    print(f"# {kills} kills, {sum(crashed.values())} parts crashed, {took:.1f} s")


def test_shares_sum_to_the_total():
    """the shares of the waiting sum to the total within 0.1 %"""
    told = report()
    total = sum(row["wait_share_seconds"] for row in told["providers"])
    assert told["wait_seconds"] > 0
    assert abs(total - told["wait_seconds"]) <= told["wait_seconds"] / 1000, (total, told["wait_seconds"])
    for row in told["providers"]:
        assert row["saved_if_removed_seconds"] <= row["wait_share_seconds"] + 1e-6, row
        assert row["name"] and row["wait_share_seconds"] >= 0


def test_everything_serves_again():
    """afterwards every provider serves as before"""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        row = json.loads(
            subprocess.run(
                ["pes", "scan", "--json", "-"], input="all well?", capture_output=True, text=True, check=False
            ).stdout
        )
        if row["coverage"] == "full":
            return
    raise AssertionError(row)


if __name__ == "__main__":
    tap.run(globals())
