# `lane NAME` goes into a lane, `lane start NAME` starts one and goes there, `lane -` goes back to where `lane` came from,
# and after a `lane finish` or `lane drop` inside the lane the shell is back in the main worktree. Everything else is
# `git lane`.
function lane --description 'Go into a lane, or run git lane'
    if not test -d "$PWD"; and test -n "$__lane_home"
        # Another process has taken the lane away.
        cd -- $__lane_home
        and echo "lane: the directory is gone; back in $__lane_home" >&2
    end
    switch "$argv[1]"
        case start
            command git lane $argv
            or return
            set -l target (command git lane shell-init --enter -- $argv 2>/dev/null)
            if test -n "$target"
                __lane_go $target
            end
        case finish drop prune undo
            set -l home (command git lane shell-init --home 2>/dev/null)
            command git lane $argv
            set -l code $status
            if not test -d "$PWD"; and test -n "$home"
                cd -- $home
            end
            return $code
        case rename move
            command git lane $argv
            or return
            # The shell is where it was, and that is called otherwise now.
            if not test -d "$PWD"
                cd -- (env pwd -P)
            end
        case -
            set -l last $__lane_last $dirprev[-1] $PWD
            set -l target (env GIT_LANE_LAST=$last[1] git lane path -)
            and __lane_go $target
        case '' '-*' @VERBS@
            if test "$argv[1]" = --
                set -l target (command git lane path -- $argv[2..])
                and __lane_go $target
            else
                command git lane $argv
            end
        case @FAMILIAR@
            # A lane may be called so; else git-lane says which of its verbs does that.
            set -l target
            if test (count $argv) -eq 1; and set target (command git lane path -- $argv[1] 2>/dev/null)
                __lane_go $target
            else
                command git lane $argv
            end
        case '*'
            set -l target (command git lane path -- $argv)
            and __lane_go $target
    end
end

# Goes there, and knows the way back and the main worktree.
function __lane_go
    set -l before $PWD
    cd -- $argv[1]
    or return
    set -g __lane_last $before
    set -g __lane_home (command git lane shell-init --home 2>/dev/null)
end
