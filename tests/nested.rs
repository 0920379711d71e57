//! Repositories in a lane's worktree that are no submodules: what only they have is said, wherever
//! they are, and such a lane never leaves the trash in passing.

use crate::support::{Sandbox, outdate, write};

/// Lane `x`, whose commit is in `main` and where `vendor` is ignored, after `script` ran in it.
/// `$LIBRARY` is a repository elsewhere with two commits and a release that no branch leads to.
fn landed(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "--global", "protocol.file.allow", "always"]);
    sandbox.git(["config", "--global", "advice.detachedHead", "false"]);
    sandbox.write(".gitignore", "vendor\n.env\n");
    sandbox.write("src/file", "file");
    sandbox.commit("ignore");
    let library = sandbox.root().join("library");
    sandbox.git(["clone", "-q", ".", library.to_str().unwrap()]);
    sandbox.git_in(&library, ["checkout", "-q", "--detach"]);
    sandbox.git_in(&library, ["commit", "-q", "--allow-empty", "-m", "release"]);
    sandbox.git_in(&library, ["tag", "v1"]);
    sandbox.git_in(&library, ["checkout", "-q", "main"]);
    sandbox.lane(["start", "x"]).ok();
    sandbox.work("x", "x", "x");
    sandbox.git(["merge", "-q", "--no-edit", "x"]);
    let mut command = sandbox.command("sh");
    command
        .args(["-ec", script])
        .current_dir(sandbox.lane_path("x"));
    command
        .env("LIBRARY", library)
        .env("ROOT", sandbox.root())
        .env("REPO", &sandbox.repo);
    sandbox.run(&mut command).ok();
    sandbox
}

/// Whether the entry is still there after another lane's finish, once its time is up.
fn outlives_its_time(sandbox: &Sandbox) -> bool {
    outdate(&sandbox.entry());
    sandbox.lane(["start", "y"]).ok();
    sandbox.work("y", "y", "y");
    sandbox.lane(["finish", "y"]).ok();
    let left = sandbox.entries();
    left.iter().any(|entry| entry["lane"] == "x")
}

/// The situation, what is said of it, and a question in the lane that must be answered the same
/// when it is back.
const HELD: &[(&str, &str, &str)] = &[
    (
        "git init -q vendor/n; git -C vendor/n commit -q --allow-empty -m gold",
        "'vendor/n' in it has (1 unpublished branch)",
        "git -C vendor/n log --format=%s",
    ),
    (
        "git clone -q $LIBRARY vendor; git -C vendor commit -q --allow-empty -m gold",
        "'vendor' in it has (1 unpublished branch)",
        "git -C vendor log --format=%s",
    ),
    (
        "git clone -q $LIBRARY vendor/n; cd vendor/n; git checkout -q --detach; git commit -q \
         --allow-empty -m gold",
        "1 unpublished detached commit",
        "git -C vendor/n log --format=%s",
    ),
    (
        "git clone -q $LIBRARY vendor/n; cd vendor/n; git checkout -q --detach; git commit -q \
         --allow-empty -m gold; git checkout -q main",
        "1 commit that only its reflog names",
        "git -C vendor/n log -1 --format=%s HEAD@{1}",
    ),
    (
        "git clone -q $LIBRARY vendor/n; cd vendor/n; echo gold >>README; git stash -q",
        "1 stash entry",
        "git -C vendor/n stash show -p",
    ),
    (
        "git clone -q $LIBRARY vendor/n; git -C vendor/n tag mine",
        "1 tag of its own",
        "git -C vendor/n rev-parse mine",
    ),
    (
        "git clone -q $LIBRARY vendor/n; git -C vendor/n notes add -m gold",
        "1 ref of its own",
        "git -C vendor/n notes show",
    ),
    (
        "git clone -q $LIBRARY vendor/n; echo gold >>vendor/n/README",
        "1 changed path",
        "cat vendor/n/README",
    ),
    (
        "git clone -q $LIBRARY vendor/n; echo gold >vendor/n/new",
        "1 changed path",
        "cat vendor/n/new",
    ),
    (
        "git clone -q $LIBRARY vendor/n; cd vendor/n; git update-index --assume-unchanged README; \
         echo gold >>README",
        "1 changed path",
        "cat vendor/n/README",
    ),
    (
        "git clone -q $LIBRARY vendor/n; cd vendor/n; echo gold >>README; git add README",
        "1 staged path",
        "git -C vendor/n diff --cached",
    ),
    (
        "git init -q vendor/n; echo gold >vendor/n/new; git -C vendor/n add new",
        "1 staged path",
        "git -C vendor/n show :new",
    ),
    (
        "git clone -q $LIBRARY vendor/n; cd vendor/n; git bisect start HEAD HEAD~ >/dev/null",
        "1 operation in progress",
        "git -C vendor/n bisect log",
    ),
    (
        "git clone -q $LIBRARY vendor/n; git -C vendor/n worktree add -q --detach $ROOT/inner",
        "1 linked worktree",
        "git -C $ROOT/inner rev-parse HEAD",
    ),
    // Where git has no line for it either.
    (
        "git init -q src; git -C src commit -q --allow-empty -m gold; git -C src add .; git -C src \
         commit -qm files",
        "'src' in it has (1 unpublished branch)",
        "git -C src log --format=%s",
    ),
    (
        "mkdir -p vendor/a/b/c; git init -q vendor/a/b/c/n; git -C vendor/a/b/c/n commit -q \
         --allow-empty -m gold",
        "'vendor/a/b/c/n' in it has",
        "git -C vendor/a/b/c/n log --format=%s",
    ),
    (
        "git clone -q $LIBRARY vendor/n; echo deep >vendor/n/.git/info/exclude; git init -q \
         vendor/n/deep; git -C vendor/n/deep commit -q --allow-empty -m gold",
        "'vendor/n/deep' in it has",
        "git -C vendor/n/deep log --format=%s",
    ),
    // Its git directory is apart from its files, or another one's worktree.
    (
        "mkdir vendor; git init -q --separate-git-dir vendor/git vendor/n; git -C vendor/n commit \
         -q --allow-empty -m gold",
        "'vendor/n' in it has (1 unpublished branch)",
        "git -C vendor/n log --format=%s",
    ),
    (
        "git init -q vendor/n; git -C vendor/n commit -q --allow-empty -m gold; mv vendor/n/.git \
         vendor/git; ln -s ../git vendor/n/.git",
        "'vendor/n' in it has (1 unpublished branch)",
        "git -C vendor/n log --format=%s",
    ),
    (
        "git init -q --separate-git-dir $ROOT/apart vendor/n; echo gold >vendor/n/new",
        "'vendor/n' in it has (1 changed path)",
        "cat vendor/n/new",
    ),
    (
        "git -C $LIBRARY worktree add -q --detach $PWD/vendor/n; git -C vendor/n commit -q \
         --allow-empty -m gold",
        "'vendor/n' in it has (1 unpublished detached commit)",
        "git -C vendor/n log --format=%s",
    ),
    (
        "git init -q -b main --bare vendor/bare; git push -q vendor/bare HEAD:refs/heads/main; cd \
         vendor; git clone -q bare n",
        "'vendor/bare' in it has (1 unpublished branch)",
        "git -C vendor/bare log --format=%s",
    ),
    (
        "git init -q -b main --bare vendor/bare; git push -q vendor/bare HEAD:refs/heads/main; git \
         -C vendor/bare worktree add -q $PWD/vendor/n",
        "'vendor/bare' in it has (",
        "git -C vendor/n log --format=%s",
    ),
    // What it was pushed to leaves too.
    (
        "git clone -q --bare $LIBRARY vendor/bare; git clone -q vendor/bare vendor/n; cd vendor/n; \
         git commit -q --allow-empty -m gold; git push -q",
        "'vendor/n' in it has (1 unpublished branch",
        "git -C vendor/n log --format=%s",
    ),
    (
        "git clone -q $LIBRARY vendor/n; cd vendor/n; git submodule --quiet add $LIBRARY lib; git \
         commit -qm lib; git push -q origin HEAD:refs/heads/lib; git -C lib tag mine",
        "'vendor/n/lib' in it has (1 tag of its own)",
        "git -C vendor/n/lib rev-parse mine",
    ),
    // What cannot be read may be anything.
    (
        "git clone -q $LIBRARY vendor/n; rm vendor/n/.git/HEAD",
        "that cannot be read",
        "ls -A vendor/n/.git",
    ),
    (
        "git clone -q $LIBRARY vendor/n; echo '[' >vendor/n/.git/config",
        "that cannot be read",
        "ls -A vendor/n/.git",
    ),
];

#[test]
fn what_only_a_repository_in_the_lane_has_is_said_kept_and_comes_back() {
    for (script, said, question) in HELD {
        let sandbox = landed(script);
        let lane = sandbox.lane_path("x");
        let ask = || {
            let mut command = sandbox.command("sh");
            sandbox
                .run(
                    command
                        .args(["-c", question])
                        .current_dir(&lane)
                        .env("ROOT", sandbox.root()),
                )
                .ok()
        };
        let before = ask();

        let kept = sandbox
            .lane(["prune", "--all", "--yes", "--older-than", "0s"])
            .ok();
        assert!(
            kept.contains("kept lane 'x': ") && kept.contains(said),
            "{script}: {kept}"
        );
        let refused = sandbox.lane(["drop", "x"]).fails(1);
        assert!(refused.contains(said), "{script}: {refused}");
        let planned = sandbox.lane(["finish", "x", "--dry-run"]).ok();
        let finished = sandbox.lane(["finish", "x"]).ok();
        for text in [&planned, &finished] {
            assert!(text.contains(said), "{script}: {text}");
        }
        let entry = &sandbox.entries()[0];
        assert!(
            entry["integrated"].is_null() && entry["holds"][0]["code"] == "repository",
            "{script}: {entry}"
        );
        assert!(
            !entry["repositories"].as_array().unwrap().is_empty(),
            "{script}: {entry}"
        );
        assert!(outlives_its_time(&sandbox), "{script}");
        sandbox.lane(["restore", "x"]).ok();
        assert_eq!(ask(), before, "{script}");
    }
}

/// What another repository has too, and what is none, is an ignored file among others.
#[test]
fn a_repository_with_nothing_of_its_own_is_as_other_ignored_files_are() {
    for script in [
        "git clone -q $LIBRARY vendor/n",
        "git clone -q --recurse-submodules $LIBRARY vendor/n; echo built >vendor/n/.env",
        "git clone -q --depth 1 file://$LIBRARY vendor/n",
        "git clone -q --depth 1 --branch v1 file://$LIBRARY vendor/n",
        "git clone -q $LIBRARY vendor/n; git -C vendor/n checkout -q v1",
        "git clone -q $LIBRARY vendor/n; cd vendor/n; git switch -qc mine; git commit -q \
         --allow-empty -m mine; git push -q origin mine",
        "git clone -q --bare $LIBRARY vendor/bare; git clone -q --mirror $LIBRARY vendor/mirror",
        "git clone -q --no-checkout $LIBRARY vendor/n; git -C vendor/n reset -q --hard",
        "git init -q vendor/n; git init -q --bare vendor/bare",
        "git init -q --separate-git-dir $ROOT/apart vendor/n; git -C vendor/n commit -q \
         --allow-empty -m safe",
        "git -C $LIBRARY worktree add -q $PWD/vendor/n",
        "mkdir -p vendor/n/.git/hooks vendor/o; echo 'gitdir: /nowhere' >vendor/o/.git; ln -s \
         nowhere vendor/.git",
        // The main worktree has the same.
        "git init -q vendor/n; git -C vendor/n commit -q --allow-empty -m gold; mkdir \
         $REPO/vendor; cp -r vendor/n $REPO/vendor",
    ] {
        let sandbox = landed(script);
        let finished = sandbox.lane(["finish", "x"]).ok();
        assert!(
            finished.contains("  vendor/\n") && !finished.contains("repository"),
            "{script}: {finished}"
        );
        let entry = &sandbox.entries()[0];
        assert_eq!(
            entry["repositories"],
            serde_json::json!([]),
            "{script}: {entry}"
        );
        assert_eq!(
            (&entry["integrated"]["code"], &entry["holds"]),
            (&"same-commit".into(), &serde_json::json!([])),
            "{script}"
        );
        assert!(!outlives_its_time(&sandbox), "{script}");
    }
}

/// A bare repository among the tracked files, as tests have them, is in the commits.
#[test]
fn a_tracked_bare_repository_is_a_file_among_others() {
    let sandbox = landed(
        "git init -q --bare fixture.git; git push -q fixture.git HEAD:refs/heads/main; rm -r \
         fixture.git/hooks; touch fixture.git/refs/tags/.keep; git add -f fixture.git; git commit \
         -qm fixture; mkdir vendor",
    );
    sandbox.lane(["finish", "x"]).ok();
    assert_eq!(sandbox.entries()[0]["repositories"], serde_json::json!([]));
}

/// It may have come with an archive: what its settings name must not be run by a command about the
/// lane.
#[test]
fn no_program_that_a_repository_in_the_lane_names_is_started() {
    let hostile = "printf '#!/bin/sh\\necho \"$*\" >>%s/ran\\nexit 1\\n' $ROOT >$ROOT/evil; chmod \
                   +x $ROOT/evil; E=$ROOT/evil
        git clone -q $LIBRARY vendor/n; cd vendor/n; echo 'README filter=evil' >.gitattributes; \
        git add .; git commit -qm a
        git init -q inner; echo f >inner/f; echo 'f filter=worse' >inner/.gitattributes; git -C \
        inner add .; git -C inner commit -qm inner; git add inner 2>/dev/null; git commit -qm inner
        C=$(git cat-file commit HEAD | sed 's/^committer.*/&\\ngpgsig -----BEGIN PGP \
        SIGNATURE-----\\n \\n -----END PGP SIGNATURE-----/' | git hash-object -t commit -w --stdin)
        git reset -q --hard $C; git update-ref --create-reflog refs/stash $C
        for r in . inner; do
            for k in core.fsmonitor core.pager core.alternateRefsCommand core.sshCommand \
            core.askPass diff.external gpg.program \
                filter.evil.clean filter.evil.smudge credential.helper remote.origin.uploadpack \
                trace2.eventTarget; do
                git -C $r config $k $E
            done
            git -C $r config filter.evil.required true
            git -C $r config log.showSignature true
            git -C $r config status.submoduleSummary true
        done
        mkdir -p .git/hooks; for h in post-index-change post-checkout reference-transaction; do cp \
        $E .git/hooks/$h; done
        git -C inner config filter.worse.clean $E; touch -d 2001-01-01 README inner/f";
    for more in [
        "true",
        "git config filter.evil.process $E",
        "git config extensions.partialClone origin; git config remote.origin.promisor true; rm -rf \
         .git/objects/??",
    ] {
        let sandbox = landed(&format!("{hostile}; {more}; rm -f $ROOT/ran"));
        for args in [
            &["prune", "--all", "--yes", "--older-than", "0s"][..],
            &["drop", "x", "-n"],
            &["finish", "x", "-n"],
            &["finish", "x"],
        ] {
            sandbox.lane(args).ok();
            let ran = std::fs::read_to_string(sandbox.root().join("ran"));
            assert!(ran.is_err(), "{more}: {args:?}: {ran:?}");
        }
        assert!(sandbox.entries()[0]["integrated"].is_null(), "{more}");
    }
}

/// It came while the user was asked, or between two looks.
#[test]
fn one_that_came_after_the_look_is_a_refusal() {
    let sandbox = landed("mkdir -p vendor; git clone -q $LIBRARY vendor/n");
    sandbox.write(".git/hooks/pre-merge-commit", "");
    let lane = sandbox.lane_path("x");
    sandbox.work("x", "more", "more");
    let hook = format!(
        "#!/bin/sh\nunset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE\ngit -C '{}/vendor/n' commit -q \
         --allow-empty -m gold\n",
        lane.display()
    );
    write(&sandbox.repo.join(".git/hooks/post-merge"), hook);
    sandbox
        .run(
            sandbox
                .command("chmod")
                .arg("+x")
                .arg(sandbox.repo.join(".git/hooks/post-merge")),
        )
        .ok();
    let refused = sandbox.lane(["finish", "x"]).fails(1);
    assert!(
        refused.contains("meanwhile it got what only the repository 'vendor/n' in it has"),
        "{refused}"
    );
    assert!(lane.exists());
}
