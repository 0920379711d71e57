# Completion for bash: `git lane <Tab>` through git's own completion, `git-lane <Tab>` and `lane <Tab>` without it.

# The words up to the cursor, the command first; the last one is being typed.
__git_lane_reply() {
    local current="${!#}" done='' kind candidate
    # readline replaces only what follows the last word break, and `=` and `:` usually are some.
    local breaks="${COMP_WORDBREAKS//[^=:]/}"
    if [[ -n $breaks && $current == *["$breaks"]* ]]; then
        done="${current%"${current##*["$breaks"]}"}"
    fi
    COMPREPLY=()
    {
        IFS= read -r kind
        # Where no name fits bash would offer files, and none can be meant.
        [[ $kind != names ]] || compopt +o bashdefault +o default 2>/dev/null
        while IFS= read -r candidate; do
            candidate="${candidate%%$'\t'*}"
            printf -v candidate '%q' "${candidate#"$done"}"
            # A comma means something between braces only, and those are quoted.
            candidate="${candidate//\\,/,}"
            case "$candidate" in
            */) ;;
            *) candidate+=' ' ;;
            esac
            COMPREPLY+=("$candidate")
        done
    } < <(command git ${__git_C_args:+"${__git_C_args[@]}"} lane complete --kind -- "$@" 2>/dev/null)
}

# Called by git's completion, which has put the line into `words`, `cword` and `cur`.
# shellcheck disable=SC2154
_git_lane() {
    local at="${__git_cmd_idx:-0}" here="$cword" typed="$cur"
    while ((at < here)) && [[ ${words[at]} != lane ]]; do
        ((at += 1))
    done
    __git_lane_reply git-lane "${words[@]:at + 1:here - at - 1}" "$typed"
}

# Called by bash for `git-lane` and for the function `lane`.
__git_lane_alone() {
    local -a line=()
    local i last=0
    for ((i = 0; i <= COMP_CWORD; i++)); do
        # bash has cut `--base=main` and `a:b` into three words.
        if ((i > 1)) && [[ ${COMP_WORDS[i]} == [=:]* || ${COMP_WORDS[i - 1]} == [=:] ]]; then
            line[last]+="${COMP_WORDS[i]}"
        else
            last=${#line[@]}
            line[last]="${COMP_WORDS[i]}"
        fi
    done
    line[0]="${line[0]##*/}"
    local __git_C_args=''
    __git_lane_reply "${line[@]}"
}

complete -o bashdefault -o default -o nospace -F __git_lane_alone git-lane lane
