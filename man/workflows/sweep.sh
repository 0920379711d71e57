# Six experiments from one commit, compared; one is kept.
set -eu
for rate in 1 2 3 4 5 6; do
    git lane start "rate-$rate" --base main --set "rate=$rate"
done
git lane exec --all -j 2 --cap train=1 --shell -- \
    './train "$GIT_LANE_SET_RATE" >score && git add score && git commit -q -m "Rate $GIT_LANE_SET_RATE"'
git lane list --columns name,set.rate,base
best=$(for rate in 1 2 3 4 5 6; do
    echo "$(cat "$(git lane path "rate-$rate")/score") rate-$rate"
done | sort -n | tail -n 1 | cut -d ' ' -f 2)
git lane diff rate-1 "$best"
git lane show "$best" --reproduce             # the same lane again, anywhere
git lane finish "$best"
for lane in $(git branch --list --format '%(refname:short)' 'rate-*'); do git lane drop --yes "$lane"; done
