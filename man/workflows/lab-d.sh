# Nothing is left to clean up, and nothing is lost.
set -eu
git lane finish login
git lane undo login                           # the landing was a mistake
git lane drop --yes search                    # so was this task, with what is not committed
git lane trash
git lane restore search                       # it was not, after all
git merge -q login                            # landed with plain git
git lane prune                                # what is provably in its base goes
git lane doctor
