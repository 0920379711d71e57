# Completion for fish: `git lane <Tab>`, `git-lane <Tab>` and `lane <Tab>`. It belongs into conf.d, because not every fish
# reads the completions of git-lane when it completes git.

function __git_lane_complete
    set -l line (commandline -opc)
    set -l current (commandline -ct)
    set -l where
    set line[1] (string replace -r '.*/' '' -- $line[1])
    if test $line[1] = git
        set -l at (contains -i -- lane $line)
        or return
        if set -l option (contains -i -- -C $line[1..$at])
            set where -C $line[(math $option + 1)]
        end
        set -e line[1..$at]
        set line git-lane $line
    end
    command git $where lane complete -- $line "$current" 2>/dev/null
end

complete -c git-lane -f -k -a '(__git_lane_complete)'
complete -c lane -f -k -a '(__git_lane_complete)'
complete -c git -n '__fish_git_using_command lane' -f -k -a '(__git_lane_complete)'
