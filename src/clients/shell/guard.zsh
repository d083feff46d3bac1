# pes-shell-guard for zsh: a pasted command line is asked about before it runs.
#
# Sourced by an interactive zsh, as printed by `pes-shell-guard init zsh`.
#
# How: the terminal marks what is pasted ("bracketed paste"). The widget that takes it in arms the guard; when a line is
# finished, by whatever widget, an armed guard gives the whole of it to pes-shell-guard and lets it through, or gives it
# up as an interrupt does. Typed lines cost two comparisons. A key that takes the next one literally (quoted-insert)
# arms it, too: it can take the mark apart. So does a line that was put aside, once something was pasted.
#
# Not covered: a terminal without bracketed paste; one that lets a pasted text contain the end mark itself, except
# that keys which are already waiting after an accepted line still count as pasted; a line that is cut and yanked back
# later; an editor opened on the line.

__pes_init() {
    emulate -L zsh
    [[ -o interactive && -o zle && -n ${__pes_guard-} && -z ${__pes_session-} ]] || return 0
    typeset -g __pes_session="zsh-$$-$RANDOM$RANDOM" __pes_armed= __pes_pasted=
    typeset -gi __pes_count=0
    autoload -Uz add-zsh-hook add-zle-hook-widget
    # What was bound to these names before, perhaps by somebody else's plug-in, stays in force behind the guard.
    local name
    for name in bracketed-paste quoted-insert vi-quoted-insert; do
        zle -A $name __pes_original_$name
        eval "__pes_$name() { __pes_armed=1 __pes_pasted=1; zle __pes_original_$name -- \"\$@\" }"
        zle -N $name __pes_$name
    done
    add-zle-hook-widget line-init __pes_begin
    add-zle-hook-widget line-finish __pes_finish
    add-zsh-hook precmd __pes_prompt
}

# A line that is there before anything was typed was put aside before, perhaps with something pasted in it.
__pes_begin() {
    [[ -z $BUFFER || -z $__pes_pasted ]] || __pes_armed=1
}

# Before each prompt. Input that waits already came along with the paste, so it stays under guard.
__pes_prompt() {
    [[ -n $__pes_armed ]] || return 0
    if ! zmodload zsh/zselect 2>/dev/null || ! zselect -t 0 -r 0 2>/dev/null; then
        __pes_armed=
    fi
}

# A line is finished. An answer to a program (vared, select) is no command.
__pes_finish() {
    [[ -z $__pes_armed || $CONTEXT == (vared|select) ]] || __pes_check
}

# Asks about the line, and gives it up when it must not run.
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
        kill -INT $$ # parts of the command that were accepted before must go with it
    fi
}

__pes_init
