#compdef git-lane lane
#description one name, branch, worktree and owner for every task

# Completion for zsh, as a file `_git-lane` in $fpath: git's own completion finds it there for `git lane <Tab>`.
_git-lane() {
    local -a line at described
    local candidate value
    integer ret=1
    line=("${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}")
    if [[ $service == git ]]; then
        [[ -n ${opt_args[-C]-} ]] && at=(-C "${(Q)${~opt_args[-C]}}")
        line[1]=git-lane
    fi
    line[1]=${line[1]:t}
    for candidate in "${(@f)$(command git $at lane complete -- "${line[@]}" 2>/dev/null)}"; do
        value=${candidate%%$'\t'*}
        [[ -n $value ]] || continue
        if [[ $value == */ ]]; then
            compadd -S '' -- "$value" && ret=0
        elif [[ $candidate == *$'\t'* ]]; then
            value=${value//\\/\\\\}
            described+=("${value//:/\\:}:${candidate#*$'\t'}")
        else
            compadd -- "$value" && ret=0
        fi
    done
    (( $#described )) && _describe -V 'git lane' described && ret=0
    return ret
}

if [[ ${funcstack[1]-} == _git-lane ]]; then
    _git-lane "$@"
elif (( $+functions[compdef] )); then
    compdef _git-lane git-lane lane
fi
