# `lane NAME` goes into a lane, `lane start NAME` starts one and goes there, and after a `lane finish` or `lane drop`
# inside the lane the shell is back in the main worktree. Everything else is `git lane`. Works in any POSIX shell.
lane() {
    case "${1-}" in
    start)
        command git lane "$@" || return
        __lane_target=$(command git lane shell-init --enter -- "$@" 2>/dev/null) || __lane_target=
        [ -z "$__lane_target" ] || cd -- "$__lane_target" || return
        ;;
    finish | drop | prune)
        __lane_target=$(command git lane shell-init --home 2>/dev/null) || __lane_target=
        __lane_status=0
        command git lane "$@" || __lane_status=$?
        if [ ! -d "$PWD" ] && [ -n "$__lane_target" ]; then
            cd -- "$__lane_target" || :
        fi
        return "$__lane_status"
        ;;
    --)
        shift
        __lane_target=$(command git lane path -- "$@") || return
        cd -- "$__lane_target" || return
        ;;
    '' | -* | @VERBS@)
        command git lane "$@"
        ;;
    @FAMILIAR@)
        # A lane may be called so; else git-lane says which of its verbs does that.
        if [ "$#" -eq 1 ] && __lane_target=$(command git lane path -- "$1" 2>/dev/null); then
            cd -- "$__lane_target" || return
        else
            command git lane "$@"
        fi
        ;;
    *)
        __lane_target=$(command git lane path -- "$@") || return
        cd -- "$__lane_target" || return
        ;;
    esac
}
