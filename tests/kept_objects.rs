//! What only a removed lane's worktree names survives the sharpest gc, and can be used when the
//! lane is back.

use std::path::Path;

use crate::support::{Sandbox, git_version};

/// A shell in which the other repository is `$OTHER` and the lane's admin directory `$G`.
fn sh(sandbox: &Sandbox, directory: &Path, script: &str) -> String {
    let mut command = sandbox.command("sh");
    let other = sandbox.root().join("other");
    let prepared = format!("G=$(git rev-parse --absolute-git-dir); {script}");
    command
        .args(["-ec", &prepared])
        .current_dir(directory)
        .env("OTHER", other)
        .env("GIT_EDITOR", "true");
    sandbox.run(&mut command).ok()
}

/// What `git fsck` misses: trees that a sparse index names and git never wrote.
fn missing(sandbox: &Sandbox, lane: &Path) -> String {
    sh(
        sandbox,
        lane,
        "git fsck --no-dangling 2>&1 | grep -E 'missing|invalid' | sort || true",
    )
}

/// The name, what is done in the lane, and what must work when it is back.
const NAMED: &[(&str, &str, &str)] = &[
    (
        "a merge of an annotated tag",
        "git pull -q --no-rebase $OTHER v1 || true; [ $(git cat-file -t $(cat $G/MERGE_HEAD)) = \
         tag ]; echo both >a; git add a",
        "git commit -qm merged; git log -1 --format=%P | grep ' '",
    ),
    (
        "a merge of a tag that is fetched",
        "git fetch -q $OTHER v1",
        "git merge -q -s ours FETCH_HEAD; [ $(git log -1 --format=%P | wc -w) = 2 ]",
    ),
    (
        "tags of a blob, of a tree and of a tag in the worktree's own refs",
        "B=$(echo note | git hash-object -w --stdin); T=$(printf '100644 blob %s\\tf\\n' $B | git \
         mktree)
        tag() { printf 'object %s\\ntype %s\\ntag %s\\ntagger A <a@b> 1 +0000\\n\\nx\\n' $1 $2 $3 | git mktag; }
        N=$(tag $B blob one); git update-ref refs/worktree/blob $N; git update-ref \
        refs/worktree/tag $(tag $(tag $N tag two) tag three)
        git update-ref refs/worktree/tree $(tag $T tree four)",
        "git for-each-ref; [ $(git cat-file -p refs/worktree/tag^{blob}) = note ]; git cat-file -p \
         refs/worktree/tree^{tree}:f
        [ $(git cat-file -t refs/worktree/tag) = tag ]; git cat-file -p refs/worktree/blob^{blob}",
    ),
    (
        "a blob and a tree in refs of its own",
        "B=$(echo note | git hash-object -w --stdin); git update-ref refs/worktree/b $B
        git update-ref refs/worktree/t $(printf '100644 blob %s\\tf\\n' $B | git mktree)",
        "git cat-file -p refs/worktree/b; git cat-file -p refs/worktree/t:f",
    ),
    (
        "a cherry-pick that stopped",
        "git fetch -q $OTHER main; git cherry-pick FETCH_HEAD || true; rm $G/FETCH_HEAD; test -e \
         $G/CHERRY_PICK_HEAD",
        "echo both >a; git add a; git cherry-pick --continue; git log -1 --format=%s | grep -x \
         second",
    ),
    (
        "a sequence of cherry-picks",
        "git fetch -q $OTHER main; git cherry-pick FETCH_HEAD~ FETCH_HEAD || true; rm \
         $G/FETCH_HEAD; test -e $G/sequencer/todo",
        "echo one >a; git add a; git cherry-pick --continue || \
         { echo both >a; git add a; git cherry-pick --continue; }
        git log --format=%s | grep -x second",
    ),
    (
        "a revert that stopped",
        "git fetch -q $OTHER main; git revert --no-edit FETCH_HEAD || true; rm $G/FETCH_HEAD; test \
         -e $G/REVERT_HEAD",
        "echo both >a; git add a; git revert --continue; git log -1 --format=%s | grep Revert",
    ),
    (
        "a rebase with an autostash, to be gone on with",
        "git fetch -q $OTHER main; echo precious >>README; git rebase -q --autostash FETCH_HEAD || \
         true; rm $G/FETCH_HEAD; git reflog expire --expire=now --all; test -e \
         $G/rebase-merge/autostash",
        "echo both >a; git add a; git rebase --continue; grep precious README; git log --format=%s \
         | grep -x second",
    ),
    (
        "a rebase with an autostash, to be given up",
        "git fetch -q $OTHER main; echo precious >>README; git rebase -q --autostash FETCH_HEAD || \
         true; rm $G/FETCH_HEAD; git reflog expire --expire=now --all",
        "git rebase --abort; grep precious README; [ $(cat a) = lane ]",
    ),
    (
        "a todo list with an abbreviated commit",
        "git fetch -q $OTHER main; C=$(git rev-parse --short FETCH_HEAD~); rm $G/FETCH_HEAD
        GIT_SEQUENCE_EDITOR=\"printf 'break\\npick $C\\n' >\" git rebase -q -i HEAD; test -e \
        $G/rebase-merge/git-rebase-todo",
        "git rebase --continue; git log -1 --format=%s | grep -x first-of-other",
    ),
    (
        "a label of a rebase of merges",
        "git fetch -q $OTHER main; C=$(git rev-parse FETCH_HEAD~); rm $G/FETCH_HEAD
        GIT_SEQUENCE_EDITOR=\"printf 'reset %s\\nlabel there\\nbreak\\nreset there\\n' $C >\" git \
        rebase -q -i HEAD; git reflog expire --expire=now --all
        git rev-parse refs/rewritten/there",
        "git rebase --continue; git log -1 --format=%s | grep -x first-of-other",
    ),
    (
        "a bisection of another lane's commits",
        "git fetch -q $OTHER main; git bisect start -q FETCH_HEAD FETCH_HEAD~2 2>/dev/null || git \
         bisect start FETCH_HEAD FETCH_HEAD~2; rm $G/FETCH_HEAD",
        "git bisect good; git for-each-ref refs/bisect; git bisect log; git bisect reset",
    ),
    (
        "what is only intended to be added",
        "git add -N new 2>/dev/null || { echo new >new; git add -N new; }; git write-tree \
         >/dev/null 2>&1 || true",
        "git diff | grep +new; git diff --stat; git commit -qam new; git show HEAD:new",
    ),
    (
        "what is only intended to be added beside a file that was reset",
        "echo new >new; git add new; git commit -qm new; git reset -q -N HEAD~; git reflog expire \
         --expire=now --all",
        "git diff | grep +new; git stash list; git add -A; git commit -qm again; git show HEAD:new",
    ),
    (
        "a conflict, with all its stages",
        "git fetch -q $OTHER main; git merge -q FETCH_HEAD || true; rm $G/FETCH_HEAD",
        "git checkout -q --theirs a; [ $(cat a) = other ]; git checkout -q --ours a; [ $(cat a) = \
         lane ]; git add a; git commit -qm merged",
    ),
    (
        "a conflict that is resolved, and what git undoes that with",
        "git fetch -q $OTHER main; git merge -q FETCH_HEAD || true; rm $G/FETCH_HEAD; echo both \
         >a; git add a; git ls-files --resolve-undo | grep a",
        "git checkout -m a; grep other a; git checkout -q --theirs a; [ $(cat a) = other ]",
    ),
    (
        "what a merge has computed",
        "git fetch -q $OTHER main; git merge -q FETCH_HEAD || true; test -e $G/AUTO_MERGE",
        "git cat-file -p $(cat $G/AUTO_MERGE):a | grep other",
    ),
    (
        "a merge with an autostash",
        "git fetch -q $OTHER main; echo precious >>README; git merge -q --autostash FETCH_HEAD || \
         true; rm $G/FETCH_HEAD; test -e $G/MERGE_AUTOSTASH",
        "git merge --abort; grep precious README",
    ),
    (
        "an index in two files",
        "git update-index --split-index; echo staged >staged; git add staged; echo more >more; git \
         add more; ls $G/sharedindex.*",
        "git diff --cached --stat; git show :staged :more; git commit -qm both",
    ),
    (
        "an index that leaves directories out",
        "git sparse-checkout set --cone --sparse-index src; echo staged >src/staged; git add \
         src/staged",
        "git show :src/staged; git commit -qm staged; git sparse-checkout disable",
    ),
    ("a commit that was amended", "git commit -q --amend -m again", "git show HEAD@{1} x@{1}"),
    (
        "a commit that only ORIG_HEAD names",
        "git commit -q --allow-empty -m gone; git reset -q --hard HEAD~; git reflog expire \
         --expire=now --all",
        "git log -1 --format=%s ORIG_HEAD | grep gone",
    ),
    (
        "a file of git's that is a link to another place",
        "git commit-tree -m gold HEAD^{tree} >../there; ln -s there ../once-more; ln -sf \
         $PWD/../once-more $G/ORIG_HEAD",
        "git log -1 --format=%s ORIG_HEAD | grep gold",
    ),
    (
        "refs of its own that are links to another place, and to a branch",
        "git commit-tree -m gold HEAD^{tree} >../there; mkdir -p $G/refs/worktree/deep; ln -s \
         $PWD/../there $G/refs/worktree/deep/a
        ln -s refs/heads/main $G/refs/worktree/b; git rev-parse refs/worktree/b; ln -s nowhere \
        $G/refs/worktree/c",
        "git log -1 --format=%s refs/worktree/deep/a | grep gold; git symbolic-ref refs/worktree/b \
         | grep main",
    ),
    (
        "an autostash that is a link to another place",
        "git fetch -q $OTHER main; echo precious >>README; git rebase -q --autostash FETCH_HEAD || \
         true; rm $G/FETCH_HEAD; git reflog expire --expire=now --all
        mv $G/rebase-merge/autostash ..; ln -s $PWD/../autostash $G/rebase-merge",
        "git rebase --abort; grep precious README",
    ),
    (
        "a directory of another program's that is a link",
        "ln -s / $G/other-program",
        "test -d $G/other-program/proc",
    ),
    (
        "a detached HEAD",
        "git checkout -q --detach; git commit -q --allow-empty -m detached",
        "git log -1 --format=%s | grep detached",
    ),
    (
        "patches that were made from what no commit has",
        "B=$(printf '1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n' | git hash-object -w --stdin); \
         N=$(printf '1\\n2\\n3\\n4\\nfive\\n6\\n7\\n8\\n9\\n' | git hash-object -w --stdin)
        printf '1\\n2\\n3\\n4\\n5\\n6\\n7 7\\n8\\n9\\n' >n; git add n; git commit -qm n
        printf 'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\\nFrom: A \
        <a@b>\\nDate: Mon, 1 Jan 2024 00:00:00 +0000\\nSubject: one\\n\\n---\\ndiff --git a/a \
        b/a\\nindex 1111111..2222222 100644\\n--- a/a\\n+++ b/a\\n@@ -1 +1 \
        @@\\n-no\\n+yes\\n--\\n' >../1
        { printf 'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\\nFrom: A <a@b>\\nDate: Mon, 1 Jan 2024 00:00:00 +0000\\nSubject: two\\n\\n---\\n'; printf 'diff --git a/n b/n\\nindex %s..%s 100644\\n--- a/n\\n+++ b/n\\n' $(git rev-parse --short $B) $(git rev-parse --short $N); git diff $B $N | sed '1,4d'; echo --; } >../2
        git am -q -3 ../1 ../2 2>/dev/null || true; test -e $G/rebase-apply",
        "git am --skip; grep five n; grep '7 7' n",
    ),
];

#[test]
fn what_only_a_worktree_names_can_be_used_when_it_is_back() {
    let mut failed = Vec::new();
    for (name, made, used) in NAMED {
        let sandbox = Sandbox::new();
        sandbox.git(["config", "gc.auto", "0"]);
        sandbox.git(["config", "--global", "advice.detachedHead", "false"]);
        sandbox.write("a", "one\n");
        sandbox.commit("a");
        let other = sandbox.root().join("other");
        sandbox.git(["clone", "-q", ".", other.to_str().unwrap()]);
        sh(
            &sandbox,
            &other,
            "echo else >else; git add .; git commit -qm first-of-other; echo other >a; git commit \
             -qam second; git tag -a -m one v1",
        );
        sandbox.lane(["start", "x"]).ok();
        sandbox.work("x", "a", "lane\n");
        let lane = sandbox.lane_path("x");
        if name.contains("leaves directories out") && git_version() < (2, 40) {
            continue;
        }
        println!("{name}");
        sh(&sandbox, &lane, made);
        let before = missing(&sandbox, &lane);
        sandbox.lane(["drop", "--yes", "x"]).ok();
        sandbox.git(["gc", "-q", "--prune=now"]);
        sandbox.git(["prune", "--expire=now"]);
        let said = sandbox.lane(["restore", "x"]);
        assert_eq!(said.code, 0, "{name}: {said}");
        assert_eq!(missing(&sandbox, &lane), before, "{name}");
        let prepared = format!("G=$(git rev-parse --absolute-git-dir); {used}");
        let mut command = sandbox.command("sh");
        command
            .args(["-ec", &prepared])
            .current_dir(&lane)
            .env("OTHER", &other)
            .env("GIT_EDITOR", "true");
        let run = sandbox.run(&mut command);
        failed.extend((run.code != 0).then(|| format!("{name}: {run}")));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// git goes on in a directory that a link leads to, wherever the links there lead.
#[test]
fn a_lane_whose_git_directories_are_links_to_directories_stays() {
    for (name, made) in [
        (
            "refs/worktree",
            "git update-ref refs/worktree/a $(git commit-tree -m gold HEAD^{tree})",
        ),
        (
            "refs",
            "git update-ref refs/worktree/a $(git commit-tree -m gold HEAD^{tree})",
        ),
        (
            "logs",
            "git commit -q --allow-empty -m gold; git reset -q --hard HEAD~",
        ),
        (
            "rebase-merge",
            "GIT_SEQUENCE_EDITOR='echo break >' git rebase -q -i HEAD",
        ),
        (
            "sequencer",
            "mkdir $G/sequencer; git commit-tree -m gold HEAD^{tree} >$G/sequencer/abort-safety",
        ),
    ] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x"]).ok();
        let lane = sandbox.lane_path("x");
        sh(
            &sandbox,
            &lane,
            &format!(
                "{made}; mkdir ../apart; mv $G/{name} ../apart/it; ln -s $PWD/../apart/it $G/{name}"
            ),
        );
        for args in [
            ["drop", "x", "--yes"],
            ["drop", "x", "--force"],
            ["finish", "x", "--no-land"],
        ] {
            let refused = sandbox.lane(args);
            // An operation in progress comes first where finish looks.
            assert!(refused.code != 0, "{name}: {args:?}: {refused}");
            if args[0] == "drop" {
                assert!(
                    refused.stderr.contains("is a symbolic link to a directory"),
                    "{name}: {args:?}: {refused}"
                );
            }
        }
        sandbox.nothing_left_behind(0);
        assert!(lane.join(".git").exists());
    }
}

/// The same where refs are a reftable, which only git reads.
#[test]
fn what_only_a_worktree_names_in_a_reftable_comes_back_too() {
    if git_version() < (2, 46) {
        return;
    }
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable", "."]);
    sandbox.write("a", "one\n");
    sandbox.commit("a");
    sandbox.lane(["start", "x"]).ok();
    let lane = sandbox.lane_path("x");
    sh(
        &sandbox,
        &lane,
        "B=$(echo note | git hash-object -w --stdin)
        T=$(printf 'object %s\\ntype blob\\ntag one\\ntagger A <a@b> 1 +0000\\n\\nx\\n' $B | git \
        mktag); git update-ref refs/worktree/note $T
        git commit -q --allow-empty -m gone; git reset -q --hard HEAD~",
    );
    sandbox.lane(["drop", "--yes", "x"]).ok();
    sandbox.git(["gc", "-q", "--prune=now"]);
    sandbox.lane(["restore", "x"]).ok();
    sh(
        &sandbox,
        &lane,
        "git cat-file -p refs/worktree/note^{blob}; git log -1 --format=%s HEAD@{1} | grep gone; \
         git for-each-ref",
    );
}
