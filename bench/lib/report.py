"""What a run has measured: rows against targets, series for the plot, and every single turn."""
import json
import os
import pathlib
import platform


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def virtual():
    return " hypervisor" in pathlib.Path("/proc/cpuinfo").read_text()


class Report:
    def __init__(self, is_smoke):
        self.machine = {"processor": processor(), "n_cpus": len(os.sched_getaffinity(0)), "virtual": virtual(),
                        "kernel": platform.release(), "load_before": os.getloadavg()[0], "smoke": is_smoke}
        self.rows, self.series, self.turns = [], {}, []

    def row(self, figure, limit, measured, detail=""):
        """`limit` is "<= 1.5", ">= 0.9", or "" for a figure without a target."""
        met = None
        if limit:
            sense, bound = limit.split()
            met = measured <= float(bound) if sense == "<=" else measured >= float(bound)
        self.rows.append({"figure": figure, "target": limit, "measured": measured, "met": met, "detail": detail})

    def skip(self, figure, limit, why):
        self.rows.append({"figure": figure, "target": limit, "measured": None, "met": None, "detail": why})

    def add_turns(self, scenario, turns):
        self.turns += [{"scenario": scenario, **line} for line in turns.lines]
        return turns

    def point(self, panel, line, x, y):
        self.series.setdefault(panel, {}).setdefault(line, []).append([x, y])

    def write(self, path):
        self.machine["load_after"] = os.getloadavg()[0]
        path.write_text(json.dumps({"machine": self.machine, "rows": self.rows, "series": self.series,
                                    "turns": self.turns}, indent=1) + "\n")

    def describe(self):
        machine = self.machine
        return (f"{machine['processor']}, {machine['n_cpus']} {'virtual ' if machine['virtual'] else ''}CPUs, "
                f"Linux {machine['kernel']}; load {machine['load_before']:.1f} before, "
                f"{machine['load_after']:.1f} after")

    def print(self):
        print(f"{'figure':<76} {'target':>8} {'measured':>9}  met  of")
        for row in self.rows:
            print(f"{row['figure']:<76} {row['target']:>8} {number(row):>9}  {met(row):<4} {row['detail']}")
        print(self.describe())

    def markdown(self):
        lines = ["| figure | target | measured | met | of |", "| --- | ---: | ---: | --- | --- |"]
        lines += [f"| {row['figure']} | {row['target']} | {number(row)} | {met(row)} | {row['detail']} |"
                  for row in self.rows]
        return "\n".join(lines + ["", self.describe() + ".", ""])


def number(row):
    return "skipped" if row["measured"] is None else f"{row['measured']:.2f}"


def met(row):
    return {True: "yes", False: "no", None: "-"}[row["met"]]
