# Three agents on branches of their own: one fails, two are published, reviewed, merged and cleaned up.
set -eu
git lane start --from - <<'END'
{"name": "login", "branch": "agent/login", "task": "ask for the password"}
{"name": "search", "branch": "agent/search", "task": "search in titles"}
{"name": "cart", "branch": "agent/cart", "task": "remember the cart"}
END
git lane exec login search cart --shell -- \
    'if agent "$GIT_LANE_TASK"; then git lane mark ready; else git lane mark blocked; fi'
git lane wait login search cart --until ready,blocked | while read -r lane status; do
    if [ "$status" = ready ]; then
        git push -q origin "agent/$lane"
        git lane diff "$lane" -- --stat       # the review
    else
        git lane drop --yes "$lane"           # git lane restore brings it back
    fi
done
git lane finish --all
