# `lane NAME` goes into a lane, `lane start NAME` starts one and goes there, `lane -` goes back to where `lane` came from,
# and after a `lane finish` or `lane drop` inside the lane the shell is back in the main worktree. Everything else is
# `git lane`. Works in any POSIX shell.
lane() {
    if [ ! -d "$PWD" ] && [ -n "${__lane_home-}" ]; then
        # Another process has taken the lane away.
        cd -- "$__lane_home" && printf 'lane: the directory is gone; back in %s\n' "$__lane_home" >&2
    fi
    case "${1-}" in
    start)
        command git lane "$@" || return
        __lane_target=$(command git lane shell-init --enter -- "$@" 2>/dev/null) || __lane_target=
        [ -z "$__lane_target" ] || __lane_go "$__lane_target"
        ;;
    finish | drop | prune | undo)
        __lane_target=$(command git lane shell-init --home 2>/dev/null) || __lane_target=
        __lane_status=0
        command git lane "$@" || __lane_status=$?
        if [ ! -d "$PWD" ] && [ -n "$__lane_target" ]; then
            cd -- "$__lane_target" || :
        fi
        return "$__lane_status"
        ;;
    rename | move)
        command git lane "$@" || return
        # The shell is where it was, and that is called otherwise now.
        if [ ! -d "$PWD" ]; then
            __lane_target=$(env pwd -P 2>/dev/null) || return
            cd -- "$__lane_target" || return
        fi
        ;;
    --)
        shift
        __lane_target=$(command git lane path -- "$@") || return
        __lane_go "$__lane_target"
        ;;
    -)
        __lane_target=$(GIT_LANE_LAST=${__lane_last-${OLDPWD-}} command git lane path -) || return
        __lane_go "$__lane_target"
        ;;
    '' | -* | @VERBS@)
        command git lane "$@"
        ;;
    @FAMILIAR@)
        # A lane may be called so; else git-lane says which of its verbs does that.
        if [ "$#" -eq 1 ] && __lane_target=$(command git lane path -- "$1" 2>/dev/null); then
            __lane_go "$__lane_target"
        else
            command git lane "$@"
        fi
        ;;
    *)
        __lane_target=$(command git lane path -- "$@") || return
        __lane_go "$__lane_target"
        ;;
    esac
}

# Goes there, and knows the way back and the main worktree.
__lane_go() {
    __lane_before=$PWD
    cd -- "$1" || return
    __lane_last=$__lane_before
    __lane_home=$(command git lane shell-init --home 2>/dev/null) || __lane_home=
}
