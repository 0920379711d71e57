# An orchestrator and its agents: who fails is dropped, the others land behind the gate in one go.
set -eu
git lane start --from tasks.jsonl --exec \
    'if agent "$GIT_LANE_TASK"; then git lane mark ready; else git lane mark blocked -m "exit code $?"; fi'
git lane list
git lane wait --until ready,blocked --timeout 10m | while read -r lane status; do
    [ "$status" = ready ] || git lane drop --yes "$lane"
done
git lane finish --all --gate ./test
