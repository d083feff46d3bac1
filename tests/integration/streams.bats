#!/usr/bin/env bats
# pes scan - against a private daemon: content whose length nobody knows before its end.

bats_require_minimum_version 1.5.0
load ../support/pes

setup_file() {
    pes_setup
    pes_start
}
teardown_file() { pes_teardown; }

setup() { cd "$BATS_TEST_TMPDIR"; }

# Checks the one answer in file $1 with the Python expressions that follow.
answer_check() {
    python3 - "$@" <<'END'
import json, sys
[answer] = [json.loads(line) for line in open(sys.argv[1])]
for check in sys.argv[2:]:
    assert eval(check), f"{check}: {answer}"
END
}

# 3 MiB, then nothing, with the pipe left open: pes has begun its stream and waits. Sets scan_pid.
begin_endless() {
    mkfifo pipe
    pes scan --json - <pipe >answers 3>&- &
    scan_pid=$!
    exec 9>pipe
    head -c $((3 << 20)) /dev/zero >&9 # returns when nearly all of it was taken
}

@test "each length is answered in full, up to and beyond whole segments" {
    local n
    for n in 0 1 $(((1 << 20) - 1)) $((1 << 20)) $(((1 << 20) + 1)) $((4 << 20)) $(((33 << 20) + 7)); do
        head -c "$n" /dev/zero | pes scan --json - >answers
        answer_check answers 'answer["coverage"] == "full"' "answer['content_bytes'] == $n"
    done
}

@test "too large is answered while the writer is still writing" {
    timeout 60 python3 -c '
import os, signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
n = 0
try:
    while n < 1 << 30:
        n += os.write(1, bytes(1 << 16))
except BrokenPipeError:
    pass
open("written", "w").write(str(n))' | pes scan --json - >answers || [ $? -eq 3 ]
    answer_check answers 'answer["coverage"] == "too_large"' 'answer["verdict"] == "none"' \
        '100 << 20 <= int(open("written").read()) < 120 << 20'
}

@test "a slow writer is waited for" {
    { for _ in 1 2 3; do head -c $((1 << 20)) /dev/zero; sleep 0.7; done; } |
        pes scan --timeout 500ms --json - >answers
    answer_check answers 'answer["coverage"] == "full"' 'answer["content_bytes"] == 3 << 20'
}

@test "a scan that is ended in mid-stream leaves nothing behind in the service" {
    begin_endless
    kill -TERM "$scan_pid"
    run ! wait "$scan_pid"
    exec 9>&-
    head -c $((5 << 20)) /dev/zero | pes scan -
}

# The client keeps the sealed segments and sends them again; what came after the kill must be there, too.
@test "a broker that is killed in mid-stream costs no byte: the next one judges the whole" {
    begin_endless
    kill -KILL "$(pgrep -P "$PES_PID" -x pes-broker)"
    sleep 0.5
    head -c 100000 /dev/zero >&9
    exec 9>&-
    wait "$scan_pid"
    answer_check answers 'answer["coverage"] == "full"' 'answer["error"] is None' \
        'answer["content_bytes"] == (3 << 20) + 100000' \
        'answer["digest"] == __import__("hashlib").sha256(bytes((3 << 20) + 100000)).hexdigest()'
}

# Writes the test string and 3 MiB, and the rest of 50 MiB only if nobody answers before. Says how much it wrote.
write_found_first() {
    python3 -c '
import os, select, signal
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
head = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
n = 0
def write(data):
    global n
    while data:
        n_taken = os.write(1, data)
        data, n = data[n_taken:], n + n_taken
try:
    write(head.ljust(3 << 20))
    poll = select.poll()
    poll.register(1, 0)  # whether the reader is gone
    if not poll.poll(int(os.environ["WAIT_MS"])):
        write(bytes(47 << 20))
except BrokenPipeError:
    pass
open("written", "w").write(str(n))'
}

@test "what is found in the beginning of a stream is told before its end" {
    WAIT_MS=60000 write_found_first | { pes scan - >answer || echo $? >status; }
    grep -q EICAR answer
    [ "$(cat status)" -eq 1 ]
    [ "$(cat written)" -ge $((2 << 20)) ] # one segment must be there
    [ "$(cat written)" -le $((3 << 20)) ]
}

@test "whoever wants all details gets them, when all is there" {
    WAIT_MS=0 write_found_first | pes scan --json - >answers || [ $? -eq 1 ]
    answer_check answers 'answer["verdict"] == "test_sample"' 'answer["coverage"] == "full"' \
        'answer["content_bytes"] == 50 << 20' 'int(open("written").read()) == 50 << 20'
}

@test "looks at beginnings count once" {
    pes report --json >before
    head -c $((9 << 20)) /dev/zero | pes scan -
    pes report --json >after
    pes providers --json | python3 -c '
import json, sys
before, after = (json.load(open(name)) for name in ("before", "after"))
def sums(report, name):
    [row] = [row for row in report["providers"] if row["name"] == name]
    return row["scans"], row["answers"], row["bytes"]
rows = json.load(sys.stdin)["providers"]
assert {row["name"] for row in rows if row["takes_beginnings"]} == {"eicar"}, rows
for name in ("eicar", "yara"):
    gained = [b - a for a, b in zip(sums(before, name), sums(after, name))]
    assert gained == [1, 1, 9 << 20], (name, gained)'
}
