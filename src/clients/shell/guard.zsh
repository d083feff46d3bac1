# pes-shell-guard for zsh: a pasted command line is asked about before it runs.
#
# Sourced by an interactive zsh, as printed by `pes-shell-guard init zsh`.
#
# How: the terminal marks what is pasted ("bracketed paste"). The widget that takes it in arms the guard; the widgets
# that accept a line then give the whole line to pes-shell-guard first and let it through, or empty it. Typed lines
# cost one comparison.
#
# Not covered: a terminal without bracketed paste; one that lets a pasted text contain the end mark itself, except
# that keys which are already waiting after an accepted line still count as pasted; a line that is cut and yanked back
# later; an editor opened on the line.

__pes_init() {
    emulate -L zsh
    [[ -o interactive && -o zle && -n ${__pes_guard-} && -z ${__pes_session-} ]] || return 0
    typeset -g __pes_session="zsh-$$-$RANDOM$RANDOM" __pes_armed=
    typeset -gi __pes_count=0
    autoload -Uz add-zsh-hook
    # What was bound to these names before, perhaps by somebody else's plug-in, stays in force behind the guard.
    zle -A bracketed-paste __pes_original_bracketed-paste
    zle -N bracketed-paste __pes_paste
    local name
    for name in accept-line accept-and-hold accept-line-and-down-history accept-and-infer-next-history; do
        zle -A $name __pes_original_$name
        zle -N $name __pes_accept
    done
    add-zsh-hook precmd __pes_prompt
}

# Something is being pasted.
__pes_paste() {
    __pes_armed=1
    zle __pes_original_bracketed-paste -- "$@"
}

# Before each prompt. Input that waits already came along with the paste, so it stays under guard.
__pes_prompt() {
    [[ -n $__pes_armed ]] || return 0
    if ! zmodload zsh/zselect 2>/dev/null || ! zselect -t 0 -r 0 2>/dev/null; then
        __pes_armed=
    fi
}

# A line is about to be accepted, by the widget that this one stands for.
__pes_accept() {
    if [[ -n $__pes_armed ]]; then
        __pes_check
    fi
    zle __pes_original_$WIDGET -- "$@"
}

# Asks about the line, and empties it when it must not run; an empty line is accepted for a new prompt.
__pes_check() {
    emulate -L zsh
    local line=$PREBUFFER$BUFFER
    local -i verdict
    [[ $line == *[^[:space:]]* && -x $__pes_guard ]] || return 0
    ((__pes_count += 1))
    zle -I
    print -rn -- "$line" | "$__pes_guard" ask --shell zsh --shell-version "$ZSH_VERSION" \
        --session "$__pes_session" --sequence "$__pes_count"
    verdict=${pipestatus[2]}
    ((verdict != 0)) || return 0
    if ((verdict != 1)); then
        print -u2 -- "pes: the shell guard failed (status $verdict); the line was not run"
    fi
    # Nothing is lost: the line is the newest entry of the history, as an argument of a command that does nothing.
    print -rs -- ": 'stopped by pes' ${(qq)line}"
    BUFFER=
    if [[ -n $PREBUFFER ]]; then
        zle send-break
    fi
}

__pes_init
