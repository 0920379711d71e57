# The life of a task: made once, held by one, told how far it is, landed, and gone.
set -eu
lane=$(git lane start login --task T-17 --unique >/dev/null && echo login)
git lane start again --task T-17 --unique || echo "the task is taken: exit code $?"
eval "$(git lane claim "$lane" --owner agent-1)"
(unset GIT_LANE_CLAIM; git lane claim "$lane" --owner agent-2) || echo "it is held by another one"
git lane mark "$lane" working
cd "$GIT_LANE_PATH"
echo "ask for the password" >login.txt
git add login.txt
git lane finish || echo "what is not committed does not land"
git commit -q -m "Ask for the password"
git lane mark ready -m "asks, and says why"
git lane wait --until ready
cd - >/dev/null
git lane finish "$lane"
git lane log "$lane"
