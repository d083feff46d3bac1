#!/usr/bin/env python3
"""Feeds as they are published: accepted, refused and suppressed against an expectation made by hand.

The numbers in FEEDS were worked out by looking at the files, not with pes. Beside them stands a second count, by
regular expressions over the text, which knows nothing of the builder's parsers: the three must agree.

The data is not part of the project: the folder is given by meson's option `corpora`.
"""
import collections
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["PES_SOURCE"], "tests/support"))
import tap

CORPORA = os.environ.get("PES_CORPORA", "")
IOCS = os.path.join(CORPORA, "iocs")
BUILDER = os.path.join(os.environ["PES_BUILD"], "src/providers/pes-definitions-hashlist")

# What each group of files comes to when it is built alone, with no warning list.
Expected = collections.namedtuple("Expected", "pattern format accepted duplicate refused ignored")
FEEDS = [
    # 10 lines: a comment and an empty one; refused are the one of g's, the one of 60 digits, the one of 20000 x.
    Expected("generated-formats/broken-lines.txt", "plain", 5, 0, 3, 0),
    # 3150 lines, of which 5 begin with '#'; 5 of the 3145 rows repeat a SHA-256.
    Expected("generated-formats/bazaar-like.csv", "csv", 3140, 5, 0, 0),
    # 9435 lines = 3 x 3145; each of the 3 hashes of 5 files is there twice.
    Expected("generated-formats/hashes-plain-mixed.txt", "plain", 9420, 15, 0, 0),
    Expected("generated-formats/hashes.hsb", "clamav", 3140, 5, 0, 0),
    # 3145 indicators of one hash each.
    Expected("generated-formats/stix-indicators.json", "stix", 3140, 5, 0, 0),
    # The same hashes, one family and algorithm a file.
    Expected("eset-malware-ioc/*.md5", "plain", 3140, 5, 0, 0),
    Expected("eset-malware-ioc/*.sha1", "plain", 3140, 5, 0, 0),
    Expected("eset-malware-ioc/*.sha256", "plain", 3140, 5, 0, 0),
    # Two indicators, of mails; 12 indicators, of which 3 are MD5s of files (7 addresses, 2 certificates).
    Expected("stix21/malicious-email-indicator-with-attachment.json", "stix", 0, 0, 0, 2),
    Expected("stix21/threat-reports__apt1.json", "stix", 3, 0, 0, 9),
    # 13 + 2 lines in alz and zstd, 12 files of one; three hashes are there with a size and with '*'.
    Expected("clamav-sigs/*.h[ds]b", "clamav", 24, 3, 0, 0),
    # Hashes that are marked for detection: 3 x 51, 6, 3 x 28, 15 + 36 + 15; the other events have none.
    Expected("eset-malware-ioc/gelsemium__misp*.json", "misp", 153, 0, 0, 1),
    Expected("eset-malware-ioc/glupteba__*.json", "misp", 6, 0, 0, 315),
    Expected("eset-malware-ioc/moustachedbouncer__*.json", "misp", 84, 0, 0, 256),
    Expected("eset-malware-ioc/telebots__*.json", "misp", 66, 0, 0, 29),
    Expected("eset-malware-ioc/machete__*.json", "misp", 0, 0, 0, 396),
]

# Entries of warning lists that are MD5, SHA-1 or SHA-256: 69, 9 and 3; the other ten are not about files.
WARNINGS = {
    "common-ioc-false-positive.json": 69,
    "eicar.com.json": 9,
    "empty-hashes.json": 3,
}

HASH = r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32})(?![0-9A-Fa-f])"


def need_corpora():
    if not CORPORA or not os.path.isdir(IOCS):
        tap.skip("no corpora (meson option 'corpora')")


def build(*arguments):
    """Runs the builder on these arguments. Returns exit status, its JSON, and the written list's size."""
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "list")
        done = subprocess.run([BUILDER, "build", "--json", "--output", output, *arguments],
                              capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1, 3):
            raise AssertionError(f"status {done.returncode}: {done.stderr}")
        return done.returncode, json.loads(done.stdout), os.path.exists(output), done.stderr


def other_count(expected, files):
    """(accepted, duplicate) by regular expressions over the whole text."""
    hashes = []
    for name in files:
        text = open(name, encoding="utf-8", errors="replace").read()
        if expected.format == "misp":
            # In these files "type", "to_ids" and "value" of one attribute lie between one brace and the next.
            for attribute in re.findall(r"\{[^{}]*\"to_ids\"[^{}]*", text):
                kind = re.search(r'"type": *"([^"]*)"', attribute).group(1)
                if re.search(r'"to_ids": *true', attribute) and re.fullmatch(
                        r"(filename\|)?(md5|sha1|sha256)|malware-sample", kind):
                    hashes.append(re.search(HASH, re.search(r'"value": *"([^"]*)"', attribute).group(1)).group(0))
        elif expected.format == "stix":
            hashes += re.findall(r"\[file:hashes\.'?[\w-]+'? = '(" + HASH + r")'\]", text)
        elif expected.format == "clamav":
            hashes += re.findall(r"(?m)^(" + HASH + r"):[0-9*]+:[^:\r\n]+", text)
        elif expected.format == "csv":
            hashes += re.findall(r'(?m)^"[^"]*", "([0-9a-f]{64})"', text)
        else:
            hashes += re.findall(r"(?m)^[\ufeff \t]*(" + HASH + r")(?=[\s,;]|$)", text)
    distinct = {value.lower() for value in hashes}
    return len(distinct), len(hashes) - len(distinct)


def test_counts():
    """every feed comes to the counts that were worked out by hand and by another method"""
    need_corpora()
    for expected in FEEDS:
        files = sorted(glob.glob(os.path.join(IOCS, expected.pattern)))
        assert files, expected.pattern
        status, report, has_list, _errors = build(*files)
        got = tuple(report[key] for key in ("accepted", "duplicate", "refused", "ignored"))
        assert got == expected[2:], f"{expected.pattern}: {got} instead of {expected[2:]}"
        assert report["suppressed"] == 0, expected.pattern
        assert {row["format"] for row in report["inputs"]} == {expected.format}, expected.pattern
        assert other_count(expected, files) == got[:2], f"{expected.pattern}: {other_count(expected, files)}"
        assert status == (3 if expected.accepted == 0 else 1 if expected.refused else 0), expected.pattern
        assert has_list == (expected.accepted > 0), expected.pattern


def test_broken_lines():
    """each broken line is named with its number and why"""
    need_corpora()
    path = os.path.join(IOCS, "generated-formats/broken-lines.txt")
    _status, report, _has_list, errors = build(path)
    assert [row["place"] for row in report["inputs"][0]["broken"]] == ["4", "5", "9"], report
    assert [line.split(":")[1] for line in errors.splitlines()] == ["4", "5", "9"], errors


def test_warning_lists():
    """warning lists take out what they name, and count as what they are"""
    need_corpora()
    files = sorted(glob.glob(os.path.join(IOCS, "misp-warninglists", "*.json")))
    assert len(files) == 13
    status, report, _has_list, _errors = build(*files)
    assert status == 3 and report["accepted"] == 0
    for row in report["inputs"]:
        name = os.path.basename(row["input"])
        assert row["role"] == "warning" and row["format"] == "warninglist", row
        assert row["accepted"] + row["duplicate"] == WARNINGS.get(name, 0), row

    # A feed of everything that the three lists name, and one hash besides: only that one stays.
    named = set()
    for name in WARNINGS:
        entries = json.load(open(os.path.join(IOCS, "misp-warninglists", name), encoding="utf-8"))["list"]
        named |= {entry for entry in entries if re.fullmatch(HASH, entry)}
    assert len(named) == 78, len(named)  # 69 + 9 + 3, of which the three of the empty file are in two lists
    with tempfile.TemporaryDirectory() as folder:
        feed = os.path.join(folder, "feed.txt")
        with open(feed, "w", encoding="ascii") as out:
            out.write("\n".join(sorted(named) + ["5" * 64]) + "\n")
        status, report, _has_list, _errors = build(feed, *files)
        assert (status, report["accepted"], report["suppressed"]) == (0, 1, 78), report


def test_everything_at_once():
    """all feeds in one list are the same hashes again, and no published feed names a false positive"""
    need_corpora()
    files = [name for expected in FEEDS for name in sorted(glob.glob(os.path.join(IOCS, expected.pattern)))]
    lists = sorted(glob.glob(os.path.join(IOCS, "misp-warninglists", "*.json")))
    status, report, _has_list, _errors = build(*files, *lists)
    assert status == 1 and report["refused"] == 3
    assert report["accepted"] + report["duplicate"] + report["suppressed"] == sum(
        row.accepted + row.duplicate for row in FEEDS), report
    assert report["list"]["denied"] == report["accepted"]


def test_what_is_no_feed():
    """a blocklist of another form is refused with what to do"""
    need_corpora()
    path = os.path.join(IOCS, "eset-malware-ioc/dnsbirthday__rqz-dnsduvel_blocklist.json")
    done = subprocess.run([BUILDER, "build", "--output", "/nonexistent/list", path], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2 and "neither an event or warning list of MISP" in done.stderr, done


tap.run(globals())
