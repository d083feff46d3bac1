"""Looking at the processes of a private pes (tools/private_pes run)."""
import os
import pathlib


def children(pid):
    """Process ids of the children of `pid`; none when it is gone."""
    found = []
    try:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        pass
    return found


def name(pid):
    """Name of a process, or "" when it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def descendants(wanted):
    """Process ids below pesd of this name."""
    found, front = [], [int(os.environ["PES_PRIVATE_PID"])]
    while front:
        pid = front.pop()
        front += children(pid)
        if name(pid) == wanted:
            found.append(pid)
    return found
