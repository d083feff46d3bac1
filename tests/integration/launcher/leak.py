#!/usr/bin/env python3
"""One user at a time: what a hostile module keeps of one user's content is gone before another's comes. Needs root."""
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

import daemon
import tap

USERS = "users { broker = 64001 identity = 64002 receiver = 64003 provider-base = 64016 }\n"
ONE, OTHER = 64201, 64202
ROUNDS = 5


def start():
    if os.geteuid() != 0:
        tap.skip("needs root, to ask as two users")
    module = daemon.providers_folder() / "leak.so"
    shutil.copy(os.environ["PES_LEAK"], module)
    module.chmod(0o755)
    config = daemon.config_folder(USERS, {"leak": 'module = "leak.so"\nworkers = 1\n'})
    return daemon.Pesd(config=config, user=False)


def say(pesd, user, text):
    (part,) = pesd.scan(text.encode(), user=user)["providers"]
    return part["findings"][0]["detection"] if part["status"] == "ok" else part["signal"]


def test_own_places():
    """V6 V7 R10: a worker that kept something for one user is not there any more for another"""
    with start().wait_ready() as pesd:
        for place in ("statics", "heap", "environment"):
            for byte in range(1, ROUNDS + 1):
                assert say(pesd, ONE, f"keep {place} {byte}") == "Kept"
                # it is the same worker still, so that finding nothing below means something
                assert say(pesd, ONE, f"look {place}") == f"Leaked-{byte}"
                assert say(pesd, OTHER, f"look {place}") == "Nothing"
                assert say(pesd, ONE, f"look {place}") == "Nothing"


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1:])
