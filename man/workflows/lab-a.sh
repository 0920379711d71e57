# Two tasks side by side: neither sees the other, and main sees one of them once it is done.
set -eu
git lane start login search
cd "$(git lane path search)"
echo "titles first" >search.txt       # begun, and left for later
cd "$(git lane path login)"
echo "ask for the password" >login.txt
git add login.txt
git commit -q -m "Ask for the password"
git lane                              # what is in flight, seen from anywhere
git lane finish login
