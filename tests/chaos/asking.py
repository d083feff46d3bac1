"""Applications under chaos: askers that ask at a steady pace, and the honest probe that must never notice."""
import collections
import os
import statistics
import threading
import time

import daemon

Row = collections.namedtuple("Row", "question wall_us error verdict coverage decided_by parts")
Part = collections.namedtuple("Part", "name status signal verdict")

CLEAN = "echo all is well"
SAMPLE = "echo " + daemon.EICAR.decode()


def parse(question, text):
    wall, error, verdict, coverage, decided_by, *parts = text.split()
    parts = [Part(*part.split(":")) for part in parts]
    return Row(question, int(wall), int(error), verdict, coverage, decided_by, parts)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Asker:
    """Asks what `questions` gives, at `rate` a second, until it is stopped or nothing is left. Keeps every row."""

    def __init__(self, pesd, questions, rate=None, timeout_ms=2000, user=None):
        self.rows, self.lost = [], None
        self.questions, self.pace, self.stopping = iter(questions), 1 / rate if rate else 0, threading.Event()
        self.process = pesd.popen(os.environ["PES_ASK_LINES"], str(timeout_ms), user=user)
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self):
        due = time.monotonic()
        for question in self.questions:
            if self.stopping.wait(max(due - time.monotonic(), 0)):
                break
            due = max(due + self.pace, time.monotonic() - 1)  # what fell behind is not made up for in a burst
            self.process.stdin.write(question.encode() + b"\n")
            self.process.stdin.flush()
            text = self.process.stdout.readline().decode()
            if not text:
                self.lost = question
                break
            self.rows.append(parse(question, text))

    def wait(self):
        """Until nothing is left to ask."""
        self.thread.join()
        self._end()
        return self

    def stop(self):
        self.stopping.set()
        return self.wait()

    def _end(self):
        self.process.stdin.close()
        status = self.process.wait(20)
        assert status == 0, f"the asking program ended with {status}"
        assert self.lost is None, f"no answer to {self.lost!r}"


class Probe:
    """
    The honest probe: a clean text and the EICAR string in turn, 50 times a second. While chaos reigns each must be
    answered, in time and right: an honest answer may lack a provider, but `eicar` finds what there is to find.
    """

    RATE = 50

    def __init__(self, pesd):
        self.pesd = pesd
        self.calm = self._measure(2)

    def _measure(self, seconds):
        asker = Asker(self.pesd, self._questions(), self.RATE)
        time.sleep(seconds)
        return [row.wall_us for row in asker.stop().rows]

    @staticmethod
    def _questions():
        while True:
            yield CLEAN
            yield SAMPLE

    def __enter__(self):
        self.asker = Asker(self.pesd, self._questions(), self.RATE)
        return self

    def __exit__(self, kind, *_):
        time.sleep(0.5)  # some of the quiet afterwards belongs to it
        self.rows = self.asker.stop().rows
        if kind is None:
            self.check()

    def check(self):
        assert len(self.rows) > 10, len(self.rows)
        for row in self.rows:
            assert row.error == 0, row
            wanted = "test_sample" if row.question == SAMPLE else "not_detected"
            assert row.verdict == wanted, row

    def figures(self):
        """p99 in ms, without and with chaos."""
        walls = [row.wall_us for row in self.rows]
        return {
            "probes": len(self.rows),
            "p99_calm_ms": round(percentile(self.calm, 0.99) / 1000, 1),
            "p99_ms": round(percentile(walls, 0.99) / 1000, 1),
            "median_ms": round(statistics.median(walls) / 1000, 2),
        }


def numbered(text, n):
    """`n` questions that differ, so that none is known from before."""
    for i in range(n):
        yield f"echo {os.getpid()}.{i}.{time.monotonic_ns()} {text}"
