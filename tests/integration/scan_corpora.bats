#!/usr/bin/env bats
# pes scan -r over the published test data, with both YARA rule sets loaded: every file gets an explicit answer, and
# the matches are exactly those that yara itself reports.

bats_require_minimum_version 1.5.0
load ../support/pes

setup_file() {
    [ -n "$PES_CORPORA" ] && [ -d "$PES_CORPORA/yara" ] || return 0
    pes_setup
    # Two instances of yara, one rule set each, beside the others.
    mkdir -p "$PES_TMP/config/providers.d"
    echo 'mode = "observe"' >"$PES_TMP/config/pes.conf"
    echo 'module = "eicar.so"' >"$PES_TMP/config/providers.d/eicar.conf"
    local set
    for set in bartblaze reversinglabs; do
        # Copied: started by root, the service is a user who may be unable to read the corpora where they are.
        cp -r "$PES_CORPORA/yara/$set" "$PES_TMP/$set"
        chmod -R u+w,a+rX "$PES_TMP/$set"
        printf 'module = "yara.so"\ndefinitions = "%s"\n' "$PES_TMP/$set" >"$PES_TMP/config/providers.d/$set.conf"
    done
    pes_start --config "$PES_TMP/config"
}
teardown_file() { pes_teardown; }

setup() {
    [ -n "$PES_CORPORA" ] && [ -d "$PES_CORPORA/yara" ] || skip "no corpora (meson option 'corpora')"
    cd "$BATS_TEST_TMPDIR"
}

@test "every file of the corpora gets an explicit answer" {
    pes scan -r --json "$PES_CORPORA" >answers 2>errors || [ $? -eq 1 ]
    find "$PES_CORPORA" -type f | sort >files
    python3 - <<'END'
import collections, json
answers = [json.loads(line) for line in open("answers")]
files = [line.rstrip("\n") for line in open("files")]
assert sorted(answer["name"] for answer in answers) == sorted(files)
outcomes = collections.Counter()
for answer in answers:
    assert answer["verdict"] != "none" or answer["coverage"] != "full", answer
    # Nothing is fully checked unless all who are competent answered ok and in full.
    if answer["coverage"] == "full":
        for provider in answer["providers"]:
            assert provider["status"] in ("ok", "not_competent"), answer
    outcomes[answer["verdict"], answer["coverage"]] += 1
print(outcomes)
END
}

@test "both rule sets match exactly what yara says they match" {
    cat "$PES_CORPORA"/yara/expected_matches.jsonl >expected
    cd "$PES_CORPORA/yara"
    pes scan -r --json positives-* >"$BATS_TEST_TMPDIR/answers" || [ $? -eq 1 ]
    cd "$BATS_TEST_TMPDIR"
    python3 - <<'END'
import json
expected = {row["path"]: set(row["rules"]) for row in map(json.loads, open("expected"))}
wrong = []
seen = set()
for answer in map(json.loads, open("answers")):
    found = {finding["rule_id"].split(":")[-1].split("/")[-1] if finding["rule_id"] else finding["detection"]
             for provider in answer["providers"] if provider["name"] != "eicar" for finding in provider["findings"]}
    seen.add(answer["name"])
    if found != expected.get(answer["name"], set()):
        wrong.append((answer["name"], found, expected.get(answer["name"])))
assert not set(expected) - seen, set(expected) - seen
assert not wrong, (len(wrong), wrong[:5])
END
}
