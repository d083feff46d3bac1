#!/usr/bin/env bats
# What is packed, with an engine that unpacks: examined in full where it can be, told where not; and EICAR in whatever
# carrier clamscan finds it in, with the same signatures.

bats_require_minimum_version 1.5.0
load ../support/pes

setup_file() {
    pes_setup
    [ -n "$(find "$PES_STAGE" -name clamav.so)" ] || return 0
    mkdir -p "$PES_TMP/config/providers.d" "$PES_TMP/database"
    # In two halves, so that no scanner of this machine takes the test for it.
    local half='58354f2150254041505b345c505a58353428505e2937434329377d2445494341522d'
    half+='5354414e444152442d414e544956495255532d544553542d46494c452124482b482a'
    printf 'Eicar-Any:0:*:%s\n' "$half" >"$PES_TMP/database/eicar.ndb"
    echo 'mode = "observe"' >"$PES_TMP/config/pes.conf"
    echo 'module = "eicar.so"' >"$PES_TMP/config/providers.d/eicar.conf"
    cat >"$PES_TMP/config/providers.d/clamav.conf" <<END_OF_CONFIG
module = "clamav.so"
definitions = "clamav:$PES_TMP/database"
scratch-mib = 256
options = {"max-filesize=100M", "max-scansize=400M"}
END_OF_CONFIG
    chmod -R a+rX "$PES_TMP"
    pes_start --config "$PES_TMP/config"
}
teardown_file() { pes_teardown; }

setup() {
    [ -n "$(find "$PES_STAGE" -name clamav.so)" ] || skip "built without clamav"
    ! pes providers | grep -q 'libclamav scans nothing without a folder' ||
        skip "no folder for temporary files can be made here"
    cd "$BATS_TEST_TMPDIR"
}

@test "what the engine unpacked is examined in full, though others looked at the wrapping alone" {
    echo harmless >clean.txt
    gzip -k clean.txt
    tar -cf clean.tar clean.txt
    python3 -c 'import zipfile; zipfile.ZipFile("clean.zip", "w", zipfile.ZIP_DEFLATED).write("clean.txt")'
    run pes scan clean.txt clean.txt.gz clean.tar clean.zip
    echo "$output"
    [ "$status" -eq 0 ]
    pes scan --json clean.zip >answer
    python3 - <<'END_OF_PYTHON'
import json
answer = json.load(open("answer"))
assert answer["coverage"] == "full", answer
parts = {part["name"]: part["coverage"] for part in answer["providers"]}
assert parts == {"eicar": "unsupported", "clamav": "full"}, parts
END_OF_PYTHON
}

@test "EICAR is found in every carrier of the corpora that clamscan finds it in" {
    [ -n "$PES_CORPORA" ] && [ -d "$PES_CORPORA/archives" ] || skip "no corpora (meson option 'corpora')"
    command -v clamscan >/dev/null || skip "no clamscan (package clamav)"
    cd "$PES_CORPORA"
    clamscan -r --no-summary --max-filesize=100M --max-scansize=400M -d "$PES_TMP/database" archives email docs \
        >"$BATS_TEST_TMPDIR/clamscan" || [ $? -le 2 ]
    pes scan -r --json archives email docs >"$BATS_TEST_TMPDIR/answers" 2>"$BATS_TEST_TMPDIR/errors" ||
        [ $? -eq 1 ] # EICAR is among them
    cd "$BATS_TEST_TMPDIR"
    python3 - <<'END_OF_PYTHON'
import collections, json, os
corpora = os.path.realpath(os.environ["PES_CORPORA"]) + "/"
answers = {answer["name"]: answer for answer in map(json.loads, open("answers"))}
found = [line.split(": Eicar-Any")[0].replace(corpora, "") for line in open("clamscan") if ": Eicar-Any" in line]
assert len(found) >= 20, found
missed = [name for name in found if answers[name]["verdict"] not in ("test_sample", "malicious")]
assert not missed, missed
for outcome, n in sorted(collections.Counter((a["verdict"], a["coverage"]) for a in answers.values()).items()):
    print(n, *outcome)
print(len(found), "found by clamscan, all of them by pes;",
      sum(a["verdict"] == "test_sample" for a in answers.values()), "by pes in all")
for name, answer in answers.items():
    if "/bomb/" in name and answer["verdict"] == "not_detected":
        print(name, answer["coverage"])
    # Full is what clamav says to be full, or it is not the kind of file that hides anything.
    part = {part["name"]: part for part in answer["providers"]}["clamav"]
    if answer["coverage"] == "full" and answer["verdict"] == "not_detected":
        assert part["coverage"] == "full" and part["status"] == "ok", answer
    assert answer["verdict"] != "known_good" or answer["coverage"] == "full", answer
END_OF_PYTHON
}
