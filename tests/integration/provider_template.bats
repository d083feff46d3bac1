#!/usr/bin/env bats
# A provider made from the template, out of tree, with the installed headers alone: it builds, passes, is loaded by a
# daemon that was not built again, and finds what it is for.

bats_require_minimum_version 1.5.0
load ../support/pes

setup_file() {
    pes_setup
    PKG_CONFIG_PATH=$(dirname "$(find "$PES_STAGE" -name pes-provider.pc)")
    TEMPLATE=$PES_TMP/template
    cp -r "$PES_SOURCE/provider-template" "$TEMPLATE"
    export PKG_CONFIG_PATH TEMPLATE
    # A fresh folder, and nothing of the sanitizers that this tree may be built with.
    (cd "$TEMPLATE" && meson setup build && meson compile -C build) >"$PES_TMP/template.log" 2>&1 ||
        { cat "$PES_TMP/template.log" >&2; return 1; }
}

teardown_file() { pes_teardown; }

@test "the template is less than 60 lines of C" {
    [ "$(wc -l <"$TEMPLATE/hello.c")" -lt 60 ]
}

@test "it is built from nothing but the installed headers" {
    local header n=0
    # shellcheck disable=SC2046 # flags are words
    for header in $(cc -D_GNU_SOURCE -M $(pkg-config --cflags pes-provider) "$TEMPLATE/hello.c"); do
        case $header in
        */pes/*.h)
            [[ $(realpath "$header") == "$(realpath "$PES_STAGE")"/* ]]
            n=$((n + 1))
            ;;
        esac
    done
    [ "$n" -eq 3 ]
}

@test "it exports one symbol and needs libc alone" {
    run nm -D --defined-only "$TEMPLATE/build/hello.so"
    [ "$(grep -c ' T ' <<<"$output")" -eq 1 ]
    [[ $output == *pes_provider_v1* ]]
    run readelf -d "$TEMPLATE/build/hello.so"
    [ "$(grep -c NEEDED <<<"$output")" -eq 1 ]
    [[ $output == *libc.so.6* ]]
}

@test "it passes the conformance suite" {
    run --separate-stderr pes provider check "$TEMPLATE/build/hello.so" # it tells there what the sandbox lacks
    [ "$status" -eq 0 ]
    [ "$(jq -r '.name, .passed, .crashes' <<<"$output" | xargs)" = "hello true 0" ]
}

@test "it says what is wrong with its option" {
    run --separate-stderr pes provider check "$TEMPLATE/build/hello.so" --option word=
    [ "$status" -eq 1 ]
    [[ $(jq -r '.checks[0].detail' <<<"$output") == *"it must not be empty"* ]]
}

@test "a running service loads it and finds the word" {
    local config=$PES_TMP/config
    meson install -C "$TEMPLATE/build" >/dev/null
    [ -e "$(find "$PES_STAGE" -path '*pes/providers/hello.so')" ]
    mkdir -p "$config/providers.d"
    : >"$config/pes.conf"
    printf 'module = "hello.so"\noptions = {"word=plugh"}\n' >"$config/providers.d/hello.conf"
    chmod -R a+rX "$config"
    pes_start --config "$config"
    run pes scan --json --kind command.pasted --lines - <<<"say plugh aloud"
    [ "$status" -eq 1 ]
    [ "$(jq -r '.verdict, .providers[0].name, .providers[0].detection' <<<"$output" | xargs)" = \
        "suspicious hello Hello.Word" ]
    run pes scan --json --kind command.pasted --lines - <<<"say xyzzy aloud"
    [ "$status" -eq 0 ]
    pes_stop
}
