# pes-shell-guard for bash: a pasted command line is asked about before it runs.
#
# Sourced by an interactive bash of version 5.1 or later, as printed by `pes-shell-guard init bash`.
#
# How: the terminal marks what is pasted ("bracketed paste"). The mark arms the guard: whatever key accepts a line first
# runs __pes_check, which gives the whole line to pes-shell-guard and lets it through, or empties it. The next prompt
# disarms it. While nothing has been pasted the keys are bound as they were, so that typed lines cost nothing. A key that
# takes the next one literally (quoted-insert) arms it, too: it can take the mark apart.
#
# Not covered: a terminal without bracketed paste; one that lets a pasted text contain the end mark itself, except
# that lines which are already waiting when the next prompt comes still count as pasted; a line that is cut and yanked
# back later; the editor of edit-and-execute-command; the typed beginning of a command of several lines. What is pasted
# for `read -e` is taken for a command.

# Sets up the guard; does nothing in a shell that cannot carry it.
__pes_init() {
    [[ $- == *i* && -t 0 ]] || return 0
    ((BASH_VERSINFO[0] > 5 || (BASH_VERSINFO[0] == 5 && BASH_VERSINFO[1] >= 1))) || return 0
    [[ -n ${__pes_guard-} && -z ${__pes_session-} ]] || return 0
    __pes_armed=
    __pes_before=
    __pes_count=0
    __pes_session=bash-$$-$SRANDOM
    # Keys that nobody can press by accident, nor a hostile terminal by knowing them.
    __pes_key_arm="\\e[200;$SRANDOM~"
    __pes_key_paste="\\e[201;$SRANDOM~"
    __pes_key_check="\\e[202;$SRANDOM~"
    __pes_key_accept="\\e[203;$SRANDOM"
    __pes_key_literal="\\e[204;$SRANDOM~"
    __pes_bound=()
    builtin bind 'set enable-bracketed-paste on'
    local keymap binding
    local -a bindings
    for keymap in emacs vi-insert vi-command; do
        mapfile -t bindings < <(builtin bind -m "$keymap" -p)
        builtin bind -m "$keymap" -x "\"$__pes_key_arm\": __pes_arm"
        builtin bind -m "$keymap" "\"$__pes_key_paste\": bracketed-paste-begin"
        builtin bind -m "$keymap" "\"\\e[200~\": \"$__pes_key_arm$__pes_key_paste\""
        builtin bind -m "$keymap" "\"$__pes_key_literal\": quoted-insert"
        for binding in "${bindings[@]}"; do
            [[ $binding == *'": quoted-insert' ]] || continue
            builtin bind -m "$keymap" "${binding%quoted-insert}\"$__pes_key_arm$__pes_key_literal\""
        done
    done
    PROMPT_COMMAND+=(__pes_prompt)
}

# Something is being pasted: puts the check before every key that accepts a line.
__pes_arm() {
    [[ -z $__pes_armed ]] || return 0
    __pes_armed=1
    local keymap binding key n=0
    local -a bindings
    for keymap in emacs vi-insert vi-command; do
        mapfile -t bindings < <(builtin bind -m "$keymap" -p && builtin bind -m "$keymap" -s)
        builtin bind -m "$keymap" -x "\"$__pes_key_check\": __pes_check"
        for binding in "${bindings[@]}"; do
            [[ $binding == *'": accept-line' || $binding == *'": operate-and-get-next' ||
                $binding == *'": insert-comment' || $binding == '"\C-'[jmo]'": "'* ]] || continue
            key=${binding%%'": '*}'"'
            [[ $key != "\"$__pes_key_accept"* ]] || continue
            builtin bind -m "$keymap" "\"$__pes_key_accept;$n~\"${binding#"$key"}"
            builtin bind -m "$keymap" "$key: \"$__pes_key_check$__pes_key_accept;$n~\""
            __pes_bound+=("$keymap $binding")
            n=$((n + 1))
        done
    done
}

# Puts the keys back as they were.
__pes_disarm() {
    local entry
    for entry in "${__pes_bound[@]}"; do
        builtin bind -m "${entry%% *}" "${entry#* }"
    done
    __pes_bound=()
    __pes_armed=
}

# Before each prompt. Input that waits already came along with the paste, so it stays under guard.
__pes_prompt() {
    local status=$?
    __pes_before=
    if [[ -n $__pes_armed ]] && ! builtin read -r -t 0; then
        __pes_disarm
    fi
    return "$status"
}

# A line with something pasted in it is about to be accepted.
__pes_check() {
    local status line=$__pes_before$READLINE_LINE
    [[ $line == *[![:space:]]* && -x $__pes_guard ]] || return 0
    __pes_count=$((__pes_count + 1))
    builtin printf '%s' "$line" |
        "$__pes_guard" ask --shell bash --shell-version "${BASH_VERSION%%(*}" \
            --session "$__pes_session" --sequence "$__pes_count"
    status=${PIPESTATUS[1]}
    if ((status == 0)); then
        # If it is not complete, the next part is asked about together with it.
        __pes_before=$line$'\n'
        return 0
    fi
    if ((status != 1)); then
        builtin printf 'pes: the shell guard failed (status %d); the line was not run\n' "$status" >&2
    fi
    # Nothing is lost: the line is the newest entry of the history, as a comment.
    if builtin shopt -q interactive_comments; then
        builtin history -s -- "# stopped by pes: ${line//$'\n'/$'\n'# }"
    fi
    READLINE_LINE=
    READLINE_POINT=0
    # Parts of the command that were accepted before must go with it. Readline takes an interrupt for what it is only
    # while it waits for a key, so it comes from outside and a little later.
    if [[ -n $__pes_before ]]; then
        (command sleep 0.1 && builtin kill -INT "$$") &>/dev/null &
        builtin disown
    fi
}

__pes_init
