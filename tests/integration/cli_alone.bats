#!/usr/bin/env bats
# The command line where no service is: wrong use, what cannot be read, and one clear line about what is missing.

bats_require_minimum_version 1.5.0
load ../support/pes

setup_file() { pes_setup; }
teardown_file() { pes_teardown; }

setup() {
    cd "$BATS_TEST_TMPDIR"
}

# Runs pes with standard output and standard error apart: $output, $stderr, $status.
pes_apart() {
    run --separate-stderr pes "$@"
}

@test "without a command pes says what there is, and that is wrong use" {
    pes_apart
    [ "$status" -eq 64 ]
    [[ $stderr == Usage:* ]]
}

@test "an unknown command, option, value or word too many is one line and status 64" {
    local line
    while IFS= read -r line; do
        # shellcheck disable=SC2086 # words
        pes_apart $line
        [ "$status" -eq 64 ] || { echo "'$line': status $status"; false; }
        [ "${#stderr_lines[@]}" -eq 1 ] || { echo "'$line': $stderr"; false; }
        [[ $stderr == "pes"*": "*"--help'" ]] || { echo "'$line': $stderr"; false; }
        [ -z "$output" ]
    done <<'END'
nonsense
status extra
off
off --for
off --for soon
off --for 0s
off --for 25h
off --for 1h more
on now
kinds --nonsense
scan
scan --kind nonsense file
scan --timeout soon file
scan --jobs 0 file
scan --reason nonsense file
scan --lines -0 file
scan --json=yes file
provider
provider nonsense
provider check
help nonsense
END
}

@test "an unknown kind is named with where to find the known ones" {
    pes_apart scan --kind script.cobol file
    [ "$status" -eq 64 ]
    [[ $stderr == *"'script.cobol'"*"pes kinds"* ]]
}

@test "without a service one line says where and how to start it, for any number of questions" {
    seq 10000 >numbers
    pes_apart scan --lines numbers
    [ "$status" -eq 2 ]
    [[ ${stderr_lines[0]} == *"does not answer at $PES_RUNTIME_DIR/pes.sock: start it"* ]]
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ ${stderr_lines[1]} == "nothing was checked" ]]
    [ -z "$output" ]
}

@test "a folder that no service can be in is told as such, and is not taken for a machine without pes" {
    PES_RUNTIME_DIR=run/pes pes_apart scan --json /dev/null "$BASH_SOURCE"
    [ "$status" -eq 2 ]
    [[ $stderr == *"PES_RUNTIME_DIR must be an absolute path"* ]]
    [[ ${lines[1]} == *"PES_RUNTIME_DIR is not an absolute path"* && ${lines[1]} != *"not installed"* ]]
}

@test "without a service each question still has its JSON line, and none is good" {
    seq 10000 | pes scan --lines --json >answers 2>errors || status=$?
    [ "$status" -eq 2 ]
    [ "$(wc -l <errors)" -eq 1 ]
    python3 - <<'END'
import json
lines = [json.loads(line) for line in open("answers")]
assert len(lines) == 10000
for number, line in enumerate(lines, 1):
    assert line["item"] == number and line["name"] == "-"
    assert line["verdict"] == "none" and line["coverage"] == "not_examined" and line["error"]
    assert line["decided_by"] == "fail_policy" and line["providers"] == []
END
}

@test "status, providers and report say that the service does not answer, with status 2" {
    local command
    for command in status providers report; do
        pes_apart $command
        [ "$status" -eq 2 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == *"does not answer at $PES_RUNTIME_DIR/pes.sock"* ]]
        [ -z "$output" ]
    done
}

# Something that greets as $1 listens where the service should, while the command that follows runs.
beside() {
    local how=$1 folder status=0 fake
    shift
    folder=$(mktemp -d "$BATS_TEST_TMPDIR/fake.XXXXXX")
    mkfifo "$folder/says"
    python3 -B "$PES_SOURCE/tests/support/fake_service.py" "$folder" "$how" >"$folder/says" 3>&- &
    fake=$!
    read -r _ <"$folder/says"
    PES_RUNTIME_DIR=$folder "$@" || status=$?
    kill "$fake" 2>/dev/null || : # it may have ended by itself
    wait "$fake" || :
    return "$status"
}

@test "a service of another version is one line that says so, with status 2" {
    local how command
    echo harmless >file
    for how in refuses-version speaks-later-version; do
        for command in status providers report "scan file"; do
            # shellcheck disable=SC2086 # words
            run --separate-stderr beside "$how" pes $command
            [ "$status" -eq 2 ] || { echo "$how, $command: $status"; false; }
            [[ ${stderr_lines[0]} == *"is of another version than this program ("*"): update the older one" ]]
            [ -z "$output" ]
        done
        run beside "$how" pes version
        [ "$status" -eq 0 ]
        [[ ${lines[1]} == "service: "*"another version" ]]
    done
}

@test "whatever else stands where the service should, nothing is good and nothing of its text is shown raw" {
    local how
    echo harmless >file
    for how in refuses-client speaks-nonsense speaks-other-protocol hangs-up; do
        run --separate-stderr beside "$how" pes scan --json file
        [ "$status" -eq 2 ] || { echo "$how: $status"; false; }
        [ "${#stderr_lines[@]}" -eq 1 ] || { echo "$how: $stderr"; false; }
        [[ $stderr == "pes: "* ]]
        [[ $output == *'"verdict":"none","coverage":"not_examined"'*'"error":"'* ]]
        [[ $stderr$output != *$'\e'* && $stderr$output != *$'\u202e'* ]]
    done
}

@test "a service that hangs is told once, in time, and the scan ends there" {
    local command
    echo harmless >small
    head -c 40000 /dev/zero >large
    for command in "small small small" "large large large large large large large large"; do
        SECONDS=0
        # shellcheck disable=SC2086 # words
        run --separate-stderr beside hangs pes scan --timeout 300ms $command
        [ "$status" -eq 2 ] || { echo "$command: $status"; false; }
        [ "$SECONDS" -lt 5 ]
        [ "${#stderr_lines[@]}" -eq 2 ]
        [[ ${stderr_lines[0]} == *"did not answer in time"* ]]
        [[ ${stderr_lines[1]} == "nothing was checked" ]]
        [ -z "$output" ]
    done
}

@test "an item that the service has no memory for fails alone" {
    echo harmless >small
    head -c 40000 /dev/zero >large
    run --separate-stderr beside has-no-memory pes scan --json small large missing
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ ${lines[0]} == *'"verdict":"not_detected"'* ]]
    [[ ${lines[1]} == *'"name":"large"'*'"error":"out of memory"'* ]]
    [[ ${lines[2]} == *'"name":"missing"'*'"error":"No such file'* ]]
}

@test "a question that fails alone has its row, and the others are asked" {
    echo 1 >first
    echo 2 >second
    run --separate-stderr beside fails-first pes scan --jobs 1 first second
    [ "$status" -eq 2 ]
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[1]} == *first*"not asked"*"internal fault"* ]]
    [[ ${stderr_lines[-1]} == "1 checked: nothing found, 1 not asked ("* ]]
}

@test "what a service that went away was not asked about is named" {
    echo 1 >first
    echo 2 >second
    run --separate-stderr beside dies-later pes scan --jobs 1 first second
    [ "$status" -eq 2 ]
    [[ ${lines[1]} == *second*"not asked"* ]]
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ ${stderr_lines[0]} == *"does not answer"* ]]
    [[ ${stderr_lines[1]} == "1 checked: nothing found, 1 not asked ("* ]]
}

@test "version and kinds need no service" {
    pes_apart version
    [ "$status" -eq 0 ]
    [[ $output == "pes "* ]]
    pes_apart kinds
    [ "$status" -eq 0 ]
    [[ $output == *command.pasted* ]]
    pes kinds --json | python3 -c 'import json,sys; assert len(json.load(sys.stdin)["kinds"]) > 40'
}

@test "a full disk is an error and not silence" {
    run bash -c 'pes kinds >/dev/full'
    [ "$status" -eq 2 ]
    [[ $output == *"could not be written"* ]]
}
