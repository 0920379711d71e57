# `lane NAME` goes into a lane, `lane start NAME` starts one and goes there, and after a `lane finish` or `lane drop`
# inside the lane the shell is back in the main worktree. Everything else is `git lane`.
function lane --description 'Go into a lane, or run git lane'
    switch "$argv[1]"
        case start
            command git lane $argv
            or return
            set -l target (command git lane shell-init --enter -- $argv 2>/dev/null)
            if test -n "$target"
                cd -- $target
            end
        case finish drop prune
            set -l home (command git lane shell-init --home 2>/dev/null)
            command git lane $argv
            set -l code $status
            if not test -d "$PWD"; and test -n "$home"
                cd -- $home
            end
            return $code
        case '' '-*' @VERBS@
            if test "$argv[1]" = --
                set -l target (command git lane path -- $argv[2..])
                and cd -- $target
            else
                command git lane $argv
            end
        case @FAMILIAR@
            # A lane may be called so; else git-lane says which of its verbs does that.
            set -l target
            if test (count $argv) -eq 1; and set target (command git lane path -- $argv[1] 2>/dev/null)
                cd -- $target
            else
                command git lane $argv
            end
        case '*'
            set -l target (command git lane path -- $argv)
            and cd -- $target
    end
end
