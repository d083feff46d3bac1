#!/usr/bin/env python3
"""Chaos: rows R1 to R20 of docs/threat-model.md, let loose on the real service.

    chaos.py [--long] [ROW...]

Without --long each row runs for seconds, for every change; with it in the amounts of the table, and times are judged.
Says TAP; the figures of each row follow it as a comment, and a table of all comes last.
"""
import argparse
import pathlib
import sys
import time

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "support"), str(here.parent / "integration" / "launcher")]

import faults_broker  # noqa: E402
import faults_client  # noqa: E402
import faults_provider  # noqa: E402
import tap  # noqa: E402
import world  # noqa: E402

ROWS = faults_provider.ROWS + faults_client.ROWS + faults_broker.ROWS


def case_of(row, amount, table):
    """A row as a case of a test; what it measured goes into the table."""

    def case():
        began = time.monotonic()
        figures = row(amount)
        table.append((row.__doc__, time.monotonic() - began, figures))
        print("# " + ", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)

    case.__doc__ = row.__doc__
    return case


def main():
    parser = argparse.ArgumentParser(description="faults, let loose on the real service")
    parser.add_argument("--long", action="store_true", help="the amounts of the table, and times are judged")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="R1 R2 ... (default: all)")
    args = parser.parse_args()
    wanted = {name.upper() for name in args.rows}
    known = {row.__doc__.split(":")[0] for row in ROWS}
    if wanted - known:
        parser.error(f"no such row: {', '.join(sorted(wanted - known))}; there are {', '.join(sorted(known))}")
    rows = [row for row in ROWS if not wanted or row.__doc__.split(":")[0] in wanted]
    table = []
    amount = world.Amount(args.long)
    try:
        tap.run({f"test_{row.__name__}": case_of(row, amount, table) for row in rows})
    finally:
        for name, seconds, figures in table:
            print(f"# {name:<70} {seconds:6.1f} s  {figures}")


if __name__ == "__main__":
    main()
