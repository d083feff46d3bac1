#!/usr/bin/env bats
# ./dev and what it is made of: the private daemon, the count of tests, the packages.

bats_require_minimum_version 1.5.0

run_private() {
    run --separate-stderr "$PES_SOURCE/tools/private_pes" run "$PES_BUILD" -- "$@"
}

@test "help names every command, and an unknown command is an error" {
    run "$PES_SOURCE/dev" help
    [ "$status" -eq 0 ]
    for command in setup build run demo test lint bench fuzz chaos soak coverage; do
        [[ $output == *"  $command "* ]]
    done
    run "$PES_SOURCE/dev" nonsense
    [ "$status" -ne 0 ]
    [[ $output == *"no command 'nonsense'"* ]]
}

@test "a command that is asked for help gives it, and a time that is none is an error" {
    run timeout 20 "$PES_SOURCE/dev" fuzz --help
    [ "$status" -eq 0 ]
    [[ $output == "usage: ./dev"* ]]
    for time in -1 0 s 1s5 ten 1.5; do
        run timeout 20 "$PES_SOURCE/dev" fuzz "$time"
        [ "$status" -eq 1 ]
        [[ $output == *"'$time' is no time"* ]]
        run timeout 20 "$PES_SOURCE/dev" soak "$time"
        [ "$status" -eq 1 ]
        [[ $output == *"'$time' is no time"* ]]
    done
}

@test "run returns the command's exit status" {
    run_private true
    [ "$status" -eq 0 ]
    run_private sh -c 'exit 7'
    [ "$status" -eq 7 ]
}

@test "run tells a command that was ended by a signal, one that is not there and one that cannot run" {
    run_private sh -c 'kill -KILL $$'
    [ "$status" -eq 137 ]
    run_private /nonexistent/command
    [ "$status" -eq 127 ]
    run_private /etc/passwd
    [ "$status" -eq 126 ]
}

@test "run leaves standard output to the command" {
    run_private printf 'just this'
    [ "$output" = 'just this' ]
}

@test "run gives the command its input, its folder and its umask" {
    cd "$BATS_TEST_TMPDIR"
    umask 027
    output=$(echo hello | "$PES_SOURCE/tools/private_pes" run "$PES_BUILD" -- sh -c 'cat; pwd; umask')
    [ "$output" = "hello
$PWD
0027" ]
}

@test "run offers a service that answers, and ends it with everything it left" {
    run_private sh -c 'pes status >&2 && echo "$PES_PRIVATE_PID $PES_RUNTIME_DIR"'
    [ "$status" -eq 0 ]
    read -r pid folder <<<"$output"
    [ ! -e "/proc/$pid" ]
    [ ! -e "$folder" ]
}

@test "run passes a request to end on, and cleans up" {
    fifo=$BATS_TEST_TMPDIR/fifo
    mkfifo "$fifo"
    "$PES_SOURCE/tools/private_pes" run "$PES_BUILD" -- \
        sh -c 'trap "exit 9" TERM; echo "$PES_PRIVATE_PID" >"$0"; while :; do read -r line <"$0"; done' "$fifo" 3>&- &
    runner=$!
    read -r pid <"$fifo"
    [ -e "/proc/$pid" ]
    kill -TERM "$runner"
    status=0
    wait "$runner" || status=$?
    [ "$status" -eq 9 ]
    [ ! -e "/proc/$pid" ]
}

@test "run says why the service does not start" {
    mkdir -p "$BATS_TEST_TMPDIR/config"
    echo 'nonsense = 1' >"$BATS_TEST_TMPDIR/config/pes.conf"
    run --separate-stderr "$PES_SOURCE/tools/private_pes" run "$PES_BUILD" --config "$BATS_TEST_TMPDIR/config" -- true
    [ "$status" -eq 125 ]
    [[ $stderr == *"pes.conf:1"* ]]
    [ -z "$output" ]
}

@test "setup without rights names the packages that are missing" {
    mkdir -p "$BATS_TEST_TMPDIR/bin"
    # A machine on which only gcc is installed, nobody is root, and there is no sudo.
    printf '#!/bin/sh\necho "gcc installed"\n' >"$BATS_TEST_TMPDIR/bin/dpkg-query"
    printf '#!/bin/sh\necho 1000\n' >"$BATS_TEST_TMPDIR/bin/id"
    printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/sudo"
    chmod +x "$BATS_TEST_TMPDIR/bin/"*
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$PES_SOURCE/dev" setup </dev/null
    [ "$status" -ne 0 ]
    [[ $output == *"apt-get install "*" meson "* ]]
    [[ $output != *" gcc "* ]]
}

@test "the count adds cases up and gives the reason of each skip" {
    folder=$BATS_TEST_TMPDIR
    printf '%s\n' '{"name": "a", "result": "OK", "stdout": "1..2\nok 1 - x\nok 2 - y # SKIP no such kernel\n"}' \
        '{"name": "b", "result": "OK", "stdout": ""}' >"$folder/unit.json"
    run "$PES_SOURCE/tools/count_tests" "$folder" unit
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = 'skipped: unit: a: y: no such kernel' ]
    [ "${lines[-1]}" = '2 passed, 0 failed, 1 skipped' ]
}

@test "the count does not miss a failure, an early end or a step that left nothing" {
    folder=$BATS_TEST_TMPDIR
    printf '%s\n' '{"name": "a", "result": "FAIL", "stdout": "1..2\nok 1 - x\nnot ok 2 - y\n"}' \
        '{"name": "b", "result": "ERROR", "stdout": "1..3\nok 1 - x\n"}' \
        '{"name": "c", "result": "TIMEOUT", "stdout": ""}' >"$folder/unit.json"
    run "$PES_SOURCE/tools/count_tests" "$folder" unit absent
    [ "$status" -eq 1 ]
    [[ $output == *'failed: unit: a: y'* ]]
    [[ $output == *'failed: unit: b: ran 1 of 3 cases'* ]]
    [[ $output == *'failed: unit: c: ended with timeout'* ]]
    [ "${lines[-1]}" = '2 passed, 4 failed, 0 skipped' ]
}
