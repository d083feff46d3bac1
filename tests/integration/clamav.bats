#!/usr/bin/env bats
# The clamav provider through a real daemon: opt-in, proven on its own sample, and honest about what it left out.

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
    cat >"$PES_TMP/config/providers.d/clamav.conf" <<END
module = "clamav.so"
definitions = "clamav:$PES_TMP/database"
scratch-mib = 64
workers = 2
options = {"max-filesize=1M", "max-recursion=4"}
END
    # A folder that is too small for what it is allowed to unpack.
    cat >"$PES_TMP/config/providers.d/small.conf" <<END
module = "clamav.so"
definitions = "clamav:$PES_TMP/database"
scratch-mib = 1
options = {"max-filesize=10M"}
END
    chmod -R a+rX "$PES_TMP"
    pes_start --config "$PES_TMP/config"
}
teardown_file() { pes_teardown; }

setup() {
    [ -n "$(find "$PES_STAGE" -name clamav.so)" ] || skip "built without clamav"
    cd "$BATS_TEST_TMPDIR"
    EICAR='X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-''STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
}

# Checks JSON lines in file $1 with the Python expressions that follow; `lines` holds them by name.
json_check() {
    python3 - "$@" <<'END'
import json, sys
lines = {line["name"]: line for line in map(json.loads, open(sys.argv[1]))}
for check in sys.argv[2:]:
    assert eval(check), f"{check}: {lines}"
END
}

# Where no folder for temporary files can be made, the provider refuses, and says why.
needs_scratch() {
    if pes providers | grep -q 'libclamav scans nothing without a folder'; then
        grep -q 'gets no folder for temporary files' "$PES_LOG"
        skip "no folder for temporary files can be made here"
    fi
}

@test "what is installed is off until somebody turns it on" {
    grep -q '^enabled = no' "$PES_SOURCE/config/providers.d/clamav.conf"
    [ -e "$PES_STAGE/share/pes/clamav/opt-in" ]
    # Without any configuration every module is started, but for this one.
    run "$PES_SOURCE/tools/private_pes" run "$PES_BUILD" -- pes providers
    [ "$status" -eq 0 ]
    [[ $output == *eicar* && $output != *clamav* ]]
}

@test "it says what it loaded, and passes the conformance suite" {
    needs_scratch
    run pes providers
    [[ $output == *"libclamav-"*"2 signatures, "*ready* ]]
    [[ $output == *"2 signatures in 2 files"* ]]
    pes provider check --table --scratch-mib 64 --definitions "$PES_STAGE/share/pes/clamav:$PES_TMP/database" \
        "$(find "$PES_STAGE" -name clamav.so)" >table
    grep -q '^passed all' table
}

@test "EICAR is found through archives, and harmless files are examined" {
    needs_scratch
    printf '%s' "$EICAR" >eicar.com
    gzip -k eicar.com
    tar -czf eicar.tar.gz eicar.com
    python3 -c 'import zipfile; zipfile.ZipFile("eicar.zip", "w", zipfile.ZIP_DEFLATED).write("eicar.com")'
    echo harmless >clean.txt
    gzip -k clean.txt
    pes scan --json ./* >answers || [ $? -eq 1 ]
    json_check answers 'len(lines) == 6' \
        'all(l["verdict"] == "test_sample" for n, l in lines.items() if "eicar" in n)' \
        'all(l["verdict"] == "not_detected" for n, l in lines.items() if "clean" in n)' \
        'all(l["coverage"] == "full" for l in lines.values())'
}

@test "what it could not look at is never called examined" {
    needs_scratch
    python3 - <<'END'
import gzip, os, zipfile
open("large.gz", "wb").write(gzip.compress(bytes(3 << 20)))
deep = b"content of the innermost layer"
for _ in range(8):
    deep = gzip.compress(deep)
open("deep.gz", "wb").write(deep)
with zipfile.ZipFile("lzma.zip", "w", zipfile.ZIP_LZMA) as archive:
    archive.writestr("member", "some content")
noise = gzip.compress(os.urandom(5000))
open("cut.gz", "wb").write(noise[:2500])
# The flag alone makes a reader take it for encrypted.
with zipfile.ZipFile("plain.zip", "w") as archive:
    archive.writestr("member", "some content")
bytes_ = bytearray(open("plain.zip", "rb").read())
os.unlink("plain.zip")
bytes_[6] |= 1
bytes_[bytes_.index(b"PK\x01\x02") + 8] |= 1
open("encrypted.zip", "wb").write(bytes_)
END
    pes scan --json ./* >answers || true
    json_check answers 'len(lines) == 5' \
        '{n.split("/")[-1]: p["coverage"] for n, l in lines.items() for p in l["providers"] if p["name"] == "clamav"} == {"large.gz": "partial_size", "deep.gz": "partial_depth", "lzma.zip": "partial_depth", "cut.gz": "malformed", "encrypted.zip": "encrypted"}' \
        'all(l["verdict"] != "known_good" and l["coverage"] != "full" for l in lines.values())'
}

@test "a full folder for temporary files is told, and costs no worker" {
    needs_scratch
    head -c 3000000 /dev/urandom >noise
    gzip noise
    pes scan --json noise.gz >answers || true
    json_check answers \
        '[p["coverage"] != "full" and p["status"] == "ok" for p in lines["noise.gz"]["providers"] if p["name"] == "small"] == [True]'
    echo harmless >clean.txt
    pes scan --json clean.txt >answers
    json_check answers 'lines["clean.txt"]["coverage"] == "full"'
}

@test "it scans many files, one after the other and side by side, and loses no worker" {
    needs_scratch
    local i
    for i in $(seq 1 200); do
        printf 'file %d %s' "$i" "$([ $((i % 10)) -ne 0 ] || printf '%s' "$EICAR")" >"file$i"
    done
    gzip -k ./file*
    pes scan --json ./* >answers || [ $? -eq 1 ]
    json_check answers 'len(lines) == 400' \
        'sum(l["verdict"] == "test_sample" for l in lines.values()) == 40' \
        'all(l["coverage"] == "full" for l in lines.values())'
    run pes providers
    [[ ! $output =~ "died by" ]]
}

@test "a container that sigtool made is loaded, and a damaged one is refused by name" {
    needs_scratch
    command -v sigtool >/dev/null || skip "no sigtool (package clamav)"
    mkdir -m 0755 build "$PES_TMP/container" "$PES_TMP/container/database" "$PES_TMP/container/providers.d"
    cp "$PES_TMP/database/eicar.ndb" build/pestest.ndb
    (cd build && echo none >COPYING && SIGNDUSER=test sigtool --unsigned --cvd-version=1 --build=pestest.cud) </dev/null
    cp build/pestest.cud "$PES_TMP/container/database"
    echo 'mode = "observe"' >"$PES_TMP/container/pes.conf"
    printf 'module = "clamav.so"\ndefinitions = "%s"\nscratch-mib = 64\n' \
        "$PES_STAGE/share/pes/clamav:$PES_TMP/container/database" >"$PES_TMP/container/providers.d/clamav.conf"
    chmod -R a+rX "$PES_TMP/container"
    printf '%s' "$EICAR" | gzip >eicar.gz
    run "$PES_SOURCE/tools/private_pes" run "$PES_BUILD" --config "$PES_TMP/container" -- \
        sh -c 'pes providers; pes scan "$1"' sh "$PWD/eicar.gz"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"2 signatures in 2 files"* && $output == *Eicar-Any* ]]
    # Some bytes short.
    truncate -s -100 "$PES_TMP/container/database/pestest.cud"
    run "$PES_SOURCE/tools/private_pes" run "$PES_BUILD" --config "$PES_TMP/container" -- \
        sh -c 'pes providers; pes scan "$1"' sh "$PWD/eicar.gz"
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *pestest.cud* && $output != *Eicar-Any* ]]
}
