#!/usr/bin/env bats
# From a feed to an answer: pes definitions builds a list, hashlist serves it, pes scan is told.

bats_require_minimum_version 1.5.0
load ../support/pes

setup_file() {
    pes_setup
    mkdir -p "$PES_TMP/config/providers.d" "$PES_TMP/lists"
    echo 'mode = "enforce"' >"$PES_TMP/config/pes.conf"
    printf 'module = "hashlist.so"\ndefinitions = "hashlist:%s"\n' "$PES_TMP/lists" \
        >"$PES_TMP/config/providers.d/hashlist.conf"
    printf 'bad\n' >"$PES_TMP/bad"
    printf 'good\n' >"$PES_TMP/good"
    printf 'whatever\n' >"$PES_TMP/unlisted"
    # In two halves, so that this file is not one.
    printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-' 'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*' >"$PES_TMP/eicar.com"
    sha1sum "$PES_TMP/bad" | sed 's/ .*/  Evil.Bad/' >"$PES_TMP/deny.txt"
    sha256sum "$PES_TMP/good" >"$PES_TMP/allow.txt"
    pes definitions build --type hashlist --output "$PES_TMP/lists/own.hashlist" \
        "$PES_TMP/deny.txt" --allow "$PES_TMP/allow.txt" >"$PES_TMP/built"
    pes_start --config "$PES_TMP/config"
}
teardown_file() { pes_teardown; }

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# One value of the answer about a file.
answer() {
    pes scan --json "$1" 2>/dev/null | jq -r "$2"
}

@test "EICAR is a test sample by the list that ships" {
    run -1 pes scan "$PES_TMP/eicar.com"
    [ "$(answer "$PES_TMP/eicar.com" .verdict)" = test_sample ]
    [ "$(answer "$PES_TMP/eicar.com" '.providers[0].detection')" = EICAR-Test-File ]
    [ "$(answer "$PES_TMP/eicar.com" '.providers[0].findings[0].rule_id')" = test-strings.txt:sha256 ]
}

@test "what is denied is malicious, with its name and the feed it is from" {
    run -1 pes scan "$PES_TMP/bad"
    [ "$(answer "$PES_TMP/bad" '.verdict + " " + .disposition')" = "malicious block" ]
    [ "$(answer "$PES_TMP/bad" '.providers[0].findings[0] | .detection + " " + .rule_id')" = "Evil.Bad deny.txt:sha1" ]
}

@test "what is allowed is known good, in full" {
    run -0 pes scan "$PES_TMP/good"
    [ "$(answer "$PES_TMP/good" '.verdict + " " + .coverage')" = "known_good full" ]
}

@test "what is on no list is not said to be clean when nobody else looked" {
    run -3 pes scan "$PES_TMP/unlisted"
    [ "$(answer "$PES_TMP/unlisted" .verdict)" = no_opinion ]
}

@test "providers shows how many entries there are, of when, and the digest" {
    run -0 pes providers --json
    [[ $output =~ "13 entries, "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9a-f]{12} ]] || { echo "$output"; false; }
    [[ $output == *"1 denied, 1 allowed, 11 for tests in 2 lists"* ]] || { echo "$output"; false; }
}

@test "build says what was accepted, and 0" {
    grep -qE '^deny +plain +1 +0 +0 +0 +0  ' "$PES_TMP/built"
    grep -qE '^allow +plain +1 +0 +0 +0 +0  ' "$PES_TMP/built"
}

@test "refused lines are named with file and line, and the status is 1" {
    printf '%064d\nnonsense\n' 1 >feed.txt
    run --separate-stderr -1 pes definitions build --type=hashlist --output list feed.txt
    [[ $stderr == "feed.txt:2: not a hash: not hexadecimal" ]]
    run -0 pes definitions check --type hashlist list
    [[ $output == "list: sound; 1 denied, 0 allowed, 1 for tests, 2 sources" ]]
}

@test "nothing usable is status 3, and no list; an older one stays" {
    echo old >list
    echo nonsense >feed.txt
    run --separate-stderr -3 pes definitions build --type hashlist --output list feed.txt
    [ "$(cat list)" = old ]
    : >feed.txt
    run -3 pes definitions build --type hashlist --output other feed.txt
    [ ! -e other ]
}

@test "an input that cannot be used as a whole is status 2, and no list" {
    printf '%064d\n' 1 >feed.txt
    echo '{"cut": ' >cut.json
    run --separate-stderr -2 pes definitions build --type hashlist --output list feed.txt cut.json
    [[ $stderr == *"cut.json:2:0: not JSON"* ]] || [[ $stderr == *"cut.json:1:"*"not JSON"* ]] || { echo "$stderr"; false; }
    [ ! -e list ]
    run --separate-stderr -2 pes definitions build --type hashlist --output list feed.txt missing.txt
    [[ $stderr == *"missing.txt: cannot be read (No such file or directory)"* ]] || { echo "$stderr"; false; }
    run --separate-stderr -2 pes definitions build --type hashlist --output nowhere/list feed.txt
    [[ $stderr == *"nowhere/list: cannot be written (No such file or directory)"* ]] || { echo "$stderr"; false; }
    [ -z "$(find . -name '*.??????')" ]
}

@test "a folder is a MISP feed: the events of its manifest, and no other" {
    local event=5a1b2c3d-0000-4000-8000-123456789abc
    mkdir feed
    echo "{\"$event\": {\"info\": \"x\"}}" >feed/manifest.json
    printf '{"Event": {"info": "Some event", "Attribute": [{"type": "sha256", "to_ids": true, "value": "%064d"}]}}' 1 \
        >feed/$event.json
    echo '{"not": "read"}' >feed/other.json
    run -0 --separate-stderr pes definitions build --type hashlist --json --output list feed
    [ "$(jq -r '.inputs[0] | .format + " " + (.accepted | tostring)' <<<"$output")" = "misp 1" ]
    echo '{"../other": {}}' >feed/manifest.json
    run -3 --separate-stderr pes definitions build --type hashlist --output list2 feed
    [[ $stderr == *"feed:manifest.json:/../other: not the UUID of an event"* ]] || { echo "$stderr"; false; }
    echo "{\"11111111-0000-4000-8000-123456789abc\": {}}" >feed/manifest.json
    run -2 --separate-stderr pes definitions build --type hashlist --output list2 feed
    [[ $stderr == *"11111111-0000-4000-8000-123456789abc.json: cannot be read"* ]] || { echo "$stderr"; false; }
    local manifest
    for manifest in '[]' '{"cut' "$(printf '[%.0s' {1..100})"; do
        echo "$manifest" >feed/manifest.json
        run -2 --separate-stderr pes definitions build --type hashlist --output list2 feed
        [[ $stderr == "feed: a folder without a manifest.json that is one of a MISP feed"* ]] || { echo "$stderr"; false; }
    done
}

@test "wrong use is one line and status 64" {
    local line
    while IFS= read -r line; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr -64 pes $line
        # shellcheck disable=SC2154 # bats sets it
        [ "${#stderr_lines[@]}" -eq 1 ] || { echo "'$line': $stderr"; false; }
        [[ $stderr == "pes definitions: "*"see "*"--help"* ]] || { echo "'$line': $stderr"; false; }
    done <<'END'
definitions
definitions nonsense
definitions build
definitions build --type nonsense x
definitions build --type hashlist
definitions build --type hashlist feed.txt
definitions build --type hashlist --output list
definitions build --type hashlist --output list --format nonsense feed.txt
definitions build --type hashlist --output list --nonsense feed.txt
definitions build --type hashlist --output
definitions build --type hashlist --output list clean.sfp
definitions check --type hashlist
END
}

@test "help is said in both places" {
    run -0 pes definitions --help
    [[ $output == "Usage: pes definitions build"* ]]
    run -0 pes definitions build --type hashlist --help
    [[ $output == *"--warning INPUT"* ]]
}
