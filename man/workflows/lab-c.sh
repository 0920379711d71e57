# A conflict is known before it happens, resolved in the lane, and lands.
set -eu
git lane check login search || echo "they conflict: exit code $?"
git lane finish login
git lane check search || echo "search conflicts with main now"
git lane sync search --here || true           # git lays the conflict out in the lane
cd "$(git lane path search)"
printf 'ask for the password\nsearch in titles\n' >tasks.txt
git add tasks.txt
git commit -q --no-edit
cd - >/dev/null
git lane finish search
