# Completion of pes(1) for bash. What there is, is asked of pes itself: commands and options are in its help, kinds in
# its list; neither needs the service.

_pes_words() {
    # shellcheck disable=SC2207 # words without blanks
    COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}

_pes_commands() {
    pes help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'
}

_pes_options() {
    pes help "$1" 2>/dev/null | grep -o -E -e '(^|[[ ,])--?[a-z0-9][a-z-]*' | tr -d '[ ,' | sort -u
}

_pes_kinds() {
    pes kinds 2>/dev/null | sed -n '2,$s/ .*//p'
}

# Providers whose definitions are kept in versions, or fetched; neither needs the service.
_pes_stores() {
    local path
    for path in "${XDG_DATA_HOME:-$HOME/.local/share}"/pes/definitions/*/ /var/lib/pes/definitions/*/; do
        [ -d "$path" ] && basename "$path"
    done
    for path in "${XDG_CONFIG_HOME:-$HOME/.config}"/pes/updates.d/*.conf /etc/pes/updates.d/*.conf; do
        [ -e "$path" ] && basename "$path" .conf
    done
}

_pes() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        _pes_words "$(_pes_commands)"
        return
    fi
    case $prev in
        --kind) _pes_words "$(_pes_kinds)" && return ;;
        --for) _pes_words "15min 1h 4h" && return ;;
        --reason) _pes_words "paste download open" && return ;;
        --app | --jobs | --origin-url | --referrer | --session | --stale-after | --timeout) return ;;
        --type) _pes_words hashlist && return ;;
    esac
    case $command in
        help)
            [ "$COMP_CWORD" -eq 2 ] && _pes_words "$(_pes_commands)"
            return
            ;;
        definitions)
            if [ "$COMP_CWORD" -eq 2 ]; then
                _pes_words "build check update rollback status"
                return
            fi
            if [[ $COMP_CWORD -eq 3 && ${COMP_WORDS[2]} =~ ^(update|rollback|status)$ && $cur != -* ]]; then
                _pes_words "$(_pes_stores)"
                return
            fi
            ;;
        provider)
            if [ "$COMP_CWORD" -eq 2 ]; then
                _pes_words "check build sign verify install remove list"
                return
            fi
            ;;
    esac
    if [[ $cur == -* ]]; then
        _pes_words "$(_pes_options "$command")"
    elif [ "$command" = scan ] || [ "$command" = provider ] || [ "$command" = definitions ]; then
        compopt -o default 2>/dev/null # file names
    fi
}

complete -F _pes pes
