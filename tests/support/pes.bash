# For integration tests in bats: a private pesd per file.
#
#     load ../support/pes
#     setup_file() { pes_setup; pes_start; }      # pes_start [PESD-OPTION...]
#     teardown_file() { pes_teardown; }
#
# Wants from meson: PES_SOURCE and PES_BUILD. Sets for the tests PATH, LD_LIBRARY_PATH, PES_RUNTIME_DIR,
# PES_CLIENT_POLICY, and PES_STAGE (installed tree), PES_LOG (what pesd logs), PES_PID (pesd).
# Started by root, pesd --user becomes `nobody`, so everything lies in a folder that everybody can read.

PES_TEST_USER=nobody

pes_setup() {
    PES_TMP=$(mktemp -d "${TMPDIR:-/tmp}/pes-test.XXXXXX")
    chmod 0755 "$PES_TMP"
    umask 022
    "$PES_SOURCE/tools/private_pes" stage "$PES_BUILD" "$PES_TMP/stage" --test-providers
    PES_STAGE=$(dirname "$(dirname "$(find "$PES_TMP/stage" -path '*/bin/pes')")")
    PES_RUNTIME_DIR=$PES_TMP/runtime
    PES_CLIENT_POLICY=$PES_TMP/client.conf
    PES_LOG=$PES_TMP/pesd.log
    PATH=$PES_STAGE/bin:$PES_STAGE/sbin:$PATH
    LD_LIBRARY_PATH=$(dirname "$(find "$PES_STAGE" -name 'libpes.so.1' -print -quit)")
    : >"$PES_CLIENT_POLICY"
    mkdir -m 0755 "$PES_RUNTIME_DIR"
    if [ "$(id -u)" -eq 0 ]; then
        printf 'broker-uid = %d\n' "$(id -u "$PES_TEST_USER")" >"$PES_CLIENT_POLICY"
        chown "$PES_TEST_USER" "$PES_RUNTIME_DIR"
    fi
    export PES_TMP PES_STAGE PES_RUNTIME_DIR PES_CLIENT_POLICY PES_LOG PATH LD_LIBRARY_PATH
}

# Starts pesd and waits for its word that it is ready; without one, shows its log and fails.
pes_start() {
    local fifo=$PES_TMP/ready.$RANDOM ready='' drop=()
    mkfifo "$fifo"
    if [ "$(id -u)" -eq 0 ]; then
        drop=(--drop-to "$PES_TEST_USER")
    fi
    # Descriptor 3 is bats's own and must not stay open in a daemon.
    "$PES_STAGE/sbin/pesd" --user --allow-unsigned --mode enforce --runtime "$PES_RUNTIME_DIR" "${drop[@]}" \
        --ready-fd 9 "$@" 9>"$fifo" 3>&- </dev/null >>"$PES_LOG" 2>&1 &
    PES_PID=$!
    export PES_PID
    if ! IFS= read -r -t 60 -n 1 ready <"$fifo" && [ -z "$ready" ]; then
        cat "$PES_LOG" >&2
        rm -f "$fifo"
        return 1
    fi
    rm -f "$fifo"
}

# Ends pesd and returns its status.
pes_stop() {
    local status=0
    [ -n "${PES_PID:-}" ] || return 0
    kill -TERM "$PES_PID" 2>/dev/null
    # The daemon is not always a child of this shell: bats runs setup_file and the tests in different ones.
    wait "$PES_PID" 2>/dev/null || status=$?
    if [ "$status" -eq 127 ]; then
        while kill -0 "$PES_PID" 2>/dev/null; do
            read -r -t 0.05 <> <(:) || :
        done
        status=0
    fi
    PES_PID=
    return "$status"
}

pes_teardown() {
    pes_stop || :
    if [ -n "${PES_TMP:-}" ]; then
        rm -rf "$PES_TMP"
    fi
}
