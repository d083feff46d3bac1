#!/usr/bin/env python3
"""The system units take away all that is not needed: `systemd-analyze security` gives each 2.0 or less."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import tap

UNIT = pathlib.Path(sys.argv[1])
DROP_INS = [pathlib.Path(path) for path in sys.argv[2:] if path.endswith(".conf")]
UPDATERS = [pathlib.Path(path) for path in sys.argv[2:] if path.endswith(".service")]
EXPOSURE_MAX = 2.0
EXPOSURE_MAX_WITH_DROP_IN = 2.2


def analyze(text, *options):
    if not shutil.which("systemd-analyze"):
        tap.skip("needs systemd-analyze")
    with tempfile.TemporaryDirectory(prefix="pes-units.") as folder:
        unit = pathlib.Path(folder) / "pes.service"
        unit.write_text(text)
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", *options, unit]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if "Unknown option" in done.stderr or "unrecognized option" in done.stderr:
        tap.skip("this systemd-analyze knows no --offline")
    return done


def exposure(text):
    done = analyze(text)
    found = re.search(r"exposure level for pes.service: ([0-9.]+)", done.stdout)
    assert found, done
    return float(found.group(1))


def test_exposure():
    """its exposure is 2.0 or less"""
    figure = exposure(UNIT.read_text())
    print(f"# exposure {figure}")
    assert figure <= EXPOSURE_MAX, figure


def test_a_right_too_many_is_seen():
    """a right that comes back shows in the figure"""
    text = UNIT.read_text()
    for line in ("PrivateNetwork=yes\n", "RestrictNamespaces=", "SystemCallFilter=~@resources\n"):
        assert line in text
        assert exposure(text.replace(line, "# " + line)) > EXPOSURE_MAX, line
    more = text.replace("CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_KILL ")
    assert exposure(more) > EXPOSURE_MAX


def test_drop_ins():
    """what a provider's package adds to it is little, and is understood"""
    assert DROP_INS
    for path in DROP_INS:
        text = UNIT.read_text() + path.read_text()
        figure = exposure(text)
        print(f"# {path.name}: exposure {figure}")
        assert EXPOSURE_MAX < figure <= EXPOSURE_MAX_WITH_DROP_IN, figure
        assert not analyze(text, "--json=short").stderr


def test_updaters():
    """what fetches definitions, and what has them tried, have 2.0 or less, and are understood"""
    assert len(UPDATERS) == 2
    for path in UPDATERS:
        text = path.read_text()
        figure = exposure(text)
        print(f"# {path.name}: exposure {figure}")
        assert figure <= EXPOSURE_MAX, figure
        assert not analyze(text, "--json=short").stderr
        # Nor would it be with the rights of a service that says nothing.
        assert exposure(text.replace("CapabilityBoundingSet=\n", "").replace("SystemCallFilter=", "# ")) > figure


def test_every_line_is_understood():
    """systemd understands every line of it"""
    done = analyze(UNIT.read_text(), "--json=short")
    json.loads(done.stdout)
    assert not done.stderr, done.stderr
    assert "Unknown key" in analyze(UNIT.read_text() + "\n[Service]\nProtectNothing=yes\n").stderr


if __name__ == "__main__":
    tap.run(globals())
