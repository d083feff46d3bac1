#!/usr/bin/env bats
# pes scan against a private daemon with eicar, yara and scripted: answers, bad input, exit statuses.

bats_require_minimum_version 1.5.0
load ../support/pes

setup_file() {
    pes_setup
    pes_start
}
teardown_file() { pes_teardown; }

setup() {
    cd "$BATS_TEST_TMPDIR"
    EICAR='X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-''STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
}

pes_apart() {
    run --separate-stderr pes "$@"
}

# Checks JSON lines in file $1 with the Python expressions that follow; `lines` holds them all.
json_check() {
    python3 - "$@" <<'END'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
for check in sys.argv[2:]:
    assert eval(check), f"{check}: {lines[:3]}"
END
}

@test "what is found is told with who says so, and the status is 1" {
    printf '%s' "$EICAR" >eicar.com
    echo harmless >clean.txt
    pes_apart scan eicar.com clean.txt
    [ "$status" -eq 1 ]
    # Who says so is whoever was first: eicar, or hashlist by the list that ships.
    [[ $output == *eicar.com*"test sample"*EICAR-Test-File* ]]
    [[ $output != *clean.txt* ]]
    [[ $stderr == "2 checked: 1 found ("* ]]
}

@test "what is clean has no row unless asked for, and the status is 0" {
    echo harmless >clean.txt
    pes_apart scan clean.txt
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ $stderr == "1 checked: nothing found ("* ]]
    pes_apart scan --verbose clean.txt
    [ "$status" -eq 0 ]
    [[ $output == *clean.txt*"not detected"* ]]
}

@test "a JSON line has every field that is promised" {
    printf '%s' "$EICAR" >eicar.com
    pes scan --json eicar.com >answers || [ $? -eq 1 ]
    json_check answers 'len(lines) == 1' \
        '{"name","item","kind","verdict","coverage","disposition","would","action","decided_by","digest","ref","wall_us","content_bytes","error","message","advice","mode","providers"} <= lines[0].keys()' \
        'lines[0]["verdict"] == "test_sample" and lines[0]["coverage"] == "full" and lines[0]["item"] is None' \
        'lines[0]["digest"] == "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"' \
        'lines[0]["content_bytes"] == 68 and lines[0]["wall_us"] > 0 and lines[0]["error"] is None' \
        'all({"name","version","status","verdict","detection","severity","confidence","wall_us","findings"} <= p.keys() for p in lines[0]["providers"])' \
        '[p["detection"] for p in lines[0]["providers"] if p["name"] == "eicar"][0]' \
        '[p for p in lines[0]["providers"] if p["name"] == "eicar"][0]["findings"][0]["evidence"][0]["length"] > 0'
}

@test "standard input is one question, with - as its name" {
    printf '%s' "$EICAR" | pes scan --json - >answers || [ $? -eq 1 ]
    json_check answers 'lines[0]["name"] == "-" and lines[0]["verdict"] == "test_sample"'
}

@test "lines and zero-ended items are one question each, numbered, in order" {
    printf 'one\n\n%s\nlast' "$EICAR" >list
    pes scan --lines --json list >answers || [ $? -eq 1 ]
    json_check answers '[l["item"] for l in lines] == [1, 2, 3, 4]' \
        '[l["verdict"] for l in lines] == ["not_detected", "not_detected", "test_sample", "not_detected"]' \
        'all(l["kind"] == "command.interactive" for l in lines)' '[l["content_bytes"] for l in lines] == [3, 0, 68, 4]'
    printf 'a\nb\0c' | pes scan -0 --kind command.pasted --json >answers
    json_check answers '[l["content_bytes"] for l in lines] == [3, 1]' 'lines[0]["kind"] == "command.pasted"'
}

@test "a line is answered when it comes, not when the stream ends" {
    local answer scan
    coproc SCAN { pes scan --lines --json; }
    scan=$SCAN_PID # bash forgets it when that has ended
    echo first >&"${SCAN[1]}"
    read -r -t 20 answer <&"${SCAN[0]}"
    [[ $answer == *'"item":1'* ]]
    echo second >&"${SCAN[1]}"
    read -r -t 20 answer <&"${SCAN[0]}"
    [[ $answer == *'"item":2'* ]]
    eval "exec ${SCAN[1]}>&-"
    wait "$scan"
}

@test "the kind is guessed from the content, then from the name" {
    printf '#!/bin/sh\n' >a.txt
    printf 'import os\n' >b.py
    printf 'words\n' >c
    pes scan --json a.txt b.py c >answers
    json_check answers '[l["kind"] for l in lines] == ["script.shell", "script.python", "generic"]'
}

@test "where a file came from is read from its attributes, and options go before them" {
    # scripted says what it was told in fields 300 (URL), 301 (referrer), 304 (evidence).
    local field
    for field in 300 301 304; do
        printf 'PES-SCRIPT: text %d' "$field" >"$field"
        python3 - "$field" <<'END' || skip "no user attributes here"
import os, sys
os.setxattr(sys.argv[1], "user.xdg.origin.url", b"https://example.org/a")
os.setxattr(sys.argv[1], "user.xdg.referrer.url", b"https://example.org/b\0")
END
    done
    local told='[p["decoded"] for l in lines for p in l["providers"] if p["name"] == "scripted"]'
    pes scan --json 300 301 304 >answers
    json_check answers "$told == ['https://example.org/a', 'https://example.org/b', 'xattr']"
    python3 -c 'import os; os.setxattr("300", "user.xdg.origin.url", b"https://a.example/\0evil")'
    pes scan --json 300 >answers
    json_check answers "'evil' in $told[0]"
    pes scan --json --origin-url http://other.example/ 300 301 >answers
    json_check answers "$told == ['http://other.example/', 'https://example.org/b']"
}

@test "what cannot be read is one line each, by name and reason; the rest goes on; status 2" {
    mkdir folder
    mkfifo fifo
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
    ln -s nowhere dangling
    echo harmless >clean.txt
    pes_apart scan missing folder fifo socket /dev/null dangling clean.txt
    [ "$status" -eq 2 ]
    [ "${#stderr_lines[@]}" -eq 7 ]
    [[ ${stderr_lines[0]} == "pes: 'missing': No such file or directory" ]]
    [[ ${stderr_lines[1]} == "pes: 'folder': is a folder; add -r"* ]]
    [[ ${stderr_lines[2]} == "pes: 'fifo': is a FIFO"* ]]
    [[ ${stderr_lines[3]} == "pes: 'socket': is a socket"* ]]
    [[ ${stderr_lines[4]} == "pes: '/dev/null': is a device"* ]]
    [[ ${stderr_lines[5]} == "pes: 'dangling': No such file or directory" ]]
    [[ ${stderr_lines[6]} == "1 checked: nothing found, 6 not read ("* ]]
}

@test "what cannot be read has its JSON line, and nothing in it looks good" {
    mkdir folder
    pes scan --json missing folder /dev/zero >answers || status=$?
    [ "$status" -eq 2 ]
    json_check answers 'len(lines) == 3' \
        'all(l["verdict"] == "none" and l["coverage"] == "not_examined" and l["error"] and not l["action"] for l in lines)'
}

@test "files that state a size that is not theirs are read to their end" {
    [ -e /sys/devices/system/cpu/online ] || skip "no /sys here"
    pes scan --json /sys/devices/system/cpu/online /proc/self/status >answers
    json_check answers 'all(l["coverage"] == "full" and 0 < l["content_bytes"] < 4096 for l in lines)'
}

@test "a finding wins over what could not be read" {
    printf '%s' "$EICAR" >eicar.com
    pes_apart scan missing eicar.com
    [ "$status" -eq 1 ]
}

@test "an unreadable file and folder are named, and the rest of the tree is scanned" {
    local as_other=()
    # Root may read everything.
    [ "$(id -u)" -ne 0 ] || as_other=(setpriv --reuid 12345 --regid 12345 --clear-groups --)
    mkdir -p tree/closed tree/open
    echo a >tree/secret
    echo b >tree/open/clean
    chmod 0 tree/secret tree/closed
    chmod -R a+rX "$BATS_RUN_TMPDIR"
    chmod 0 tree/secret tree/closed
    run --separate-stderr "${as_other[@]}" pes scan -r tree
    chmod 700 tree/secret tree/closed
    [ "$status" -eq 2 ]
    [[ ${stderr_lines[0]} == "pes: 'tree/closed': Permission denied" ]]
    [[ ${stderr_lines[1]} == "pes: 'tree/secret': Permission denied" ]]
    [[ ${stderr_lines[2]} == "1 checked: nothing found, 2 not read ("* ]]
}

@test "below a folder everything is scanned in order, and links are counted but not followed" {
    mkdir -p tree/b
    echo 1 >tree/b/1
    echo 2 >tree/a
    ln -s .. tree/b/loop
    pes scan -r --json tree >answers
    json_check answers '[l["name"] for l in lines] == ["tree/a", "tree/b/1"]'
    pes_apart scan -r --verbose tree
    [[ $stderr == *"'tree/b/loop': is a symbolic link, not followed"* ]]
    [[ $stderr == *"1 symbolic link not followed"* ]]
}

# Changes file $1 without pause, from now on until file `flag` is gone: $2 is what it does to the open file `f`.
keep_changing() {
    touch flag
    mkfifo started
    python3 - "$@" <<'END' 3>&- &
import os, sys
path, action = sys.argv[1:]
f = open(path, "r+b", buffering=0)
exec(action)
with open("started", "w") as file:
    file.write("\n")
while os.path.exists("flag"):
    exec(action)
END
    changer=$!
    read -r -t 30 <>started
}

# Scans file $1 until it is changed while it is read: on a busy machine the one who changes it may not get his turn.
scan_until_changed() {
    local tries
    for tries in {1..20}; do
        pes_apart scan "$1"
        [ "$status" -eq 0 ] || return 0
    done
}

@test "a file that grows while it is read is told as changed; status 2" {
    truncate -s 20M file
    keep_changing file 'f.seek(0, 2); f.write(b"x")'
    scan_until_changed file
    rm flag
    wait "$changer"
    [ "$status" -eq 2 ]
    [[ ${stderr_lines[0]} == "pes: 'file': changed while it was read"* ]]
}

@test "a file that shrinks while it is read is told as changed; status 2" {
    truncate -s 20M file
    keep_changing file 'f.truncate(19 << 20); f.truncate(20 << 20)'
    scan_until_changed file
    rm flag
    wait "$changer"
    [ "$status" -eq 2 ]
    [[ ${stderr_lines[0]} == "pes: 'file': changed while it was read"* ]]
}

@test "zero bytes are asked about like anything" {
    : >empty
    pes scan --json empty >answers
    json_check answers 'lines[0]["content_bytes"] == 0 and lines[0]["coverage"] == "full"' \
        'lines[0]["digest"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"'
}

@test "closed standard descriptors are told, and nothing else is taken for them" {
    echo harmless >clean.txt
    run --separate-stderr timeout 20 bash -c 'pes scan - <&-'
    [ "$status" -eq 2 ]
    [[ $stderr == "pes: '-': Bad file descriptor"* ]]
    run --separate-stderr timeout 20 bash -c 'pes scan --json clean.txt >&-'
    [ "$status" -eq 2 ]
    [[ $stderr == "pes: the output could not be written"* ]]
    run timeout 20 bash -c 'pes scan clean.txt 2>&-'
    [ "$status" -eq 0 ]
}

@test "a file above the limit is not checked, says so, and the status is 3" {
    truncate -s $((100 * 1024 * 1024 + 1)) large
    pes_apart scan large
    [ "$status" -eq 3 ]
    [[ $output == *large*"not checked"*"too large"* ]]
    [[ $stderr == "1 checked: 1 not fully checked ("* ]]
    pes scan --json large >answers || [ $? -eq 3 ]
    json_check answers 'lines[0]["coverage"] == "too_large" and lines[0]["verdict"] == "none"'
}

@test "standard input and a line above the limit are not checked, and say so" {
    head -c $((257 * 1024 * 1024)) /dev/zero | pes scan --json - >answers || [ $? -eq 3 ]
    json_check answers 'lines[0]["coverage"] == "too_large" and lines[0]["content_bytes"] > 100 << 20'
    { head -c $((101 * 1024 * 1024)) /dev/zero && printf '\nshort\n'; } | pes scan --lines --json >answers || [ $? -eq 3 ]
    json_check answers '[l["coverage"] for l in lines] == ["too_large", "full"]'
}

@test "names with newline, escape, direction and broken bytes harm no terminal and lose nothing" {
    local name
    for name in $'new\nline' $'\e[2Jansi' $'\u202Egpj.exe' $'bad\xff'; do
        printf '%s' "$EICAR" >"$name"
    done
    pes scan -r . >table 2>summary || [ $? -eq 1 ]
    grep -Fq 'new\x0aline' table
    grep -Fq '\x1b[2Jansi' table
    grep -Fq '\u{202e}gpj.exe' table
    grep -Fq 'bad\xff' table
    ! grep -q $'\e' table
    pes scan -r --json . >answers || [ $? -eq 1 ]
    ! LC_ALL=C grep -q '[^ -~]' answers
    json_check answers 'len(lines) == 4 + 1' '"./new\nline" in [l["name"] for l in lines]' \
        '[l["name_hex"] for l in lines if "name_hex" in l] == ["2e2f626164ff"]' || {
        # `table`, `summary` and `answers` lie in the same folder.
        json_check answers '"./new\nline" in [l["name"] for l in lines]' \
            '[l["name_hex"] for l in lines if "name_hex" in l] == ["2e2f626164ff"]'
    }
    pes_apart scan $'missing\e[31m\n'
    [[ ${stderr_lines[0]} == *'missing\x1b[31m\x0a'* ]]
}

@test "a provider that dies is named with its signal, and nothing is called clean" {
    printf 'PES-SCRIPT: crash SEGV\n' >bomb
    pes_apart scan bomb
    [ "$status" -eq 3 ]
    [[ $output == *bomb*"not checked"*scripted*"crashed (SIGSEGV)"* ]]
    pes scan --json bomb >answers || [ $? -eq 3 ]
    json_check answers 'lines[0]["coverage"] == "partial_providers"' \
        '[(p["status"], p["signal"]) for p in lines[0]["providers"] if p["name"] == "scripted"] == [("crashed", "SIGSEGV")]'
}

@test "a provider that hangs is named at the deadline" {
    printf 'PES-SCRIPT: hang\n' >hang
    SECONDS=0
    pes_apart scan --timeout 700ms hang
    [ "$status" -eq 3 ]
    [ "$SECONDS" -lt 10 ]
    [[ $output == *hang*"not checked"*scripted*"no answer in time"* ]]
}

@test "a broker that was stopped is told once and in time, the scan ends there, and the status is 2" {
    local broker
    echo harmless >small
    head -c 40000 /dev/zero >large
    broker=$(pgrep -P "$PES_PID" -x pes-broker)
    kill -STOP "$broker"
    SECONDS=0
    pes_apart scan --timeout 300ms large small small
    kill -CONT "$broker"
    [ "$status" -eq 2 ]
    [ "$SECONDS" -lt 5 ]
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ ${stderr_lines[0]} == *"did not answer in time"* ]]
    pes_apart scan small
    [ "$status" -eq 0 ]
}

# Whatever happens meanwhile: `answers` holds 10,000 lines in order, and full coverage only where all answered in full.
check_10000() {
    json_check answers '[l["item"] for l in lines] == list(range(1, 10001))' \
        'all(l["error"] is None for l in lines)' \
        'all(l["verdict"] != "none" or l["coverage"] != "full" for l in lines)' \
        'all({"eicar", "scripted"} <= {p["name"] for p in l["providers"]} for l in lines)' \
        'all((l["coverage"] == "full") == all(p["status"] == "ok" and p["coverage"] == "full" for p in l["providers"] if p["status"] != "not_competent") for l in lines)'
}

@test "10,000 lines are each answered within a minute though every hundredth kills a worker" {
    awk 'BEGIN { for (i = 1; i <= 10000; i++) print i % 100 ? "echo " i : "# " i " PES-SCRIPT: crash SEGV" }' >lines
    SECONDS=0
    pes scan --lines --kind command.pasted --json lines >answers || [ $? -eq 3 ]
    echo "# 10,000 lines: $SECONDS s" >&3
    [ "$SECONDS" -lt 60 ]
    check_10000
    json_check answers 'all(l["coverage"] != "full" for l in lines[99::100])' \
        'all(p["status"] == "crashed" and p["signal"] == "SIGSEGV" for l in lines[99::100] for p in l["providers"] if p["name"] == "scripted")'
}

# Sends signal $2 to one process named $1 below pesd after the other until file `flag` is gone.
keep_killing() {
    touch flag
    mkfifo killing
    python3 - "$PES_PID" "$@" <<'END' 3>&- &
import os, random, sys, time
top, name, number = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def processes():
    parents, names = {}, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                head, tail = file.read().rsplit(")", 1)
        except OSError:
            continue
        names[int(pid)] = head.split("(", 1)[1]
        parents[int(pid)] = int(tail.split()[1])
    below = []
    for pid in sorted(parents):
        at = pid
        while at in parents and at != top:
            at = parents[at]
        if at == top and names[pid] == name:
            below.append(pid)
    return below

n_killed = 0
while os.path.exists("flag"):
    found = processes()
    if found:
        try:
            os.kill(random.choice(found), number)
            n_killed += 1
        except ProcessLookupError:
            pass
    if n_killed == 1:
        with open("killing", "w") as file:
            file.write("\n")
        n_killed += 1
    time.sleep(0.1)  # the pace of the faults, not a wait for anything
END
    killer=$!
    # Opened for both, so that a killer that found nobody cannot hold us up.
    read -r -t 30 <>killing || { rm flag; echo "there is no process '$1' below pesd"; return 1; }
}

@test "10,000 lines are each answered within a minute while workers are killed from outside" {
    seq 10000 >lines
    keep_killing pes-worker 11
    SECONDS=0
    pes scan --lines --kind command.pasted --json lines >answers || [ $? -eq 3 ]
    rm flag
    wait "$killer"
    echo "# 10,000 lines: $SECONDS s" >&3
    [ "$SECONDS" -lt 60 ]
    check_10000
    json_check answers 'all(p["signal"] == "SIGSEGV" for l in lines for p in l["providers"] if p["status"] == "crashed")'
}

# What a terminal is shown when PES_SCRIPT's file `slow` is scanned with TERM=$1.
on_terminal() {
    TERM=$1 python3 - <<'END'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("pes", ["pes", "scan", "slow"])
shown = b""
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
END
}

@test "a terminal is shown progress after a second, in one line that is taken away again" {
    echo 'PES-SCRIPT: sleep 1600' >slow
    on_terminal xterm >shown
    grep -q $'\r\e\\[K\\[\\.*\\] 0 of 1, 0 found, 1\.' shown
    # The last thing before the summary is that the line is erased.
    tail -n 1 shown | grep -q $'\r\e\\[K1 checked: nothing found'
    on_terminal dumb >shown
    ! grep -q $'\e' shown
    grep -q '1 checked: nothing found' shown
}

@test "as many questions at once as are allowed are asked without losing one" {
    seq 3000 >lines
    pes scan --lines --jobs 256 --json lines >answers
    json_check answers '[l["item"] for l in lines] == list(range(1, 3001))' 'all(l["coverage"] == "full" for l in lines)'
}

@test "a module is checked by the conformance suite of this installation" {
    run pes provider check "$(dirname "$(find "$PES_STAGE" -name eicar.so)")/eicar.so"
    [ "$status" -eq 0 ]
    [[ $output == *self-test* ]]
}

@test "status, providers and report agree with what happened" {
    printf '%s' "$EICAR" >found
    printf 'PES-SCRIPT: crash SEGV' >crash
    printf 'PES-SCRIPT: hang' >hang
    pes scan --timeout 500 found crash hang || [ $? -eq 1 ]
    pes_apart status
    [ "$status" -eq 0 ]
    [[ $output == *"providers answer"* ]]
    [[ $output == *"Unsigned providers are allowed"* ]]
    pes status --json | python3 -c 'import json,sys; s = json.load(sys.stdin); assert s["mode"] == "enforce" and len(s["providers"]) >= 2, s'
    pes_apart providers
    [ "$status" -eq 0 ]
    [[ $output == *scripted*SIGSEGV* ]]
    pes_apart report
    [ "$status" -eq 0 ]
    [[ $output == *"APPS WAITED"*WHO*scripted*"(broker)"* ]]
    pes report --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
shares = sum(provider["wait_share_seconds"] for provider in report["providers"])
assert abs(shares - report["wait_seconds"]) <= 0.001 * report["wait_seconds"] + 1e-6, (shares, report["wait_seconds"])
assert "broker" in [provider["name"] for provider in report["providers"]]
scripted = [provider for provider in report["providers"] if provider["name"] == "scripted"][0]
assert scripted["signals"]["SIGSEGV"] >= 1 and scripted["timeouts"] >= 1, scripted
assert report["scans"] >= 3 and report["found"] >= 1 and report["unchecked"] >= 2, report
for provider in report["providers"]:
    assert provider["saved_if_removed_seconds"] <= provider["wait_share_seconds"] + 1e-6 <= provider["busy_seconds"] + 2e-6
'
}

@test "10,000 lines are each answered though the broker is killed meanwhile" {
    seq 10000 >lines
    pes scan --lines --kind command.pasted --json lines >answers 3>&- &
    local scan=$! status=0
    # Once a hundred are answered.
    until [ "$(wc -l <answers)" -gt 100 ]; do :; done
    kill -KILL "$(pgrep -P "$PES_PID" -x pes-broker)"
    wait "$scan" || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
    json_check answers '[l["item"] for l in lines] == list(range(1, 10001))' 'all(l["error"] is None for l in lines)' \
        'all(l["verdict"] == "not_detected" for l in lines if l["coverage"] == "full")'
}
