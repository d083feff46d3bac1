"""Tests in Python that speak TAP: run(globals()) calls every function test_* in the order of the file.

A case's name is the first line of its docstring. skip(reason) leaves a case; anything else that is raised fails it.
"""
import sys
import traceback


class Skip(Exception):
    pass


def skip(reason):
    raise Skip(reason)


def run(names, only=None):
    cases = [value for name, value in names.items() if name.startswith("test_") and callable(value)]
    if only:
        cases = [case for case in cases if case.__name__ in only]
    failed = 0
    print(f"1..{len(cases)}", flush=True)
    for number, case in enumerate(cases, 1):
        name = (case.__doc__ or case.__name__).strip().splitlines()[0]
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except BaseException:  # a failed case must not hide the next
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} - {name}", flush=True)
    sys.exit(1 if failed else 0)
