//! Where the worktree is, whose its directories are, and repositories of every sort.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{Sandbox, git_version, write};

fn head(sandbox: &Sandbox) -> String {
    format!("check_out {}", sandbox.git(["rev-parse", "HEAD"]))
}

#[test]
fn directories_are_the_users_alone() {
    let sandbox = Sandbox::new();
    sandbox.gate_ok(&["gate", &head(&sandbox)]);
    let slot = sandbox.slot("gate");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let above = slot.ancestors().take(4);
    assert_eq!(above.map(mode).collect::<Vec<_>>(), [0o700; 4]);
    assert_eq!(std::fs::metadata(slot.join("lock")).unwrap().len(), 0);
    assert!(
        slot.parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("shop-")
    );
    std::fs::set_permissions(&slot, std::fs::Permissions::from_mode(0o777)).unwrap();
    sandbox.gate_ok(&["gate"]);
    assert_eq!(mode(&slot), 0o700);
}

#[test]
fn a_link_in_the_place_of_a_directory_is_refused_and_not_followed() {
    for above in 0..4 {
        let sandbox = Sandbox::new();
        sandbox.gate_ok(&["gate", &head(&sandbox)]);
        let slot = sandbox.slot("gate");
        let place = slot.ancestors().nth(above).unwrap();
        let outside = sandbox.root().join("outside");
        std::fs::rename(place, &outside).unwrap();
        symlink(&outside, place).unwrap();
        let before = crate::support::listing(&outside);
        let said = sandbox.gate(&["gate", &head(&sandbox)]);
        assert!(
            said[0].starts_with("foreign-cache: ") && said[0].contains("symbolic link"),
            "{said:?}"
        );
        assert_eq!(crate::support::listing(&outside), before);
    }
    // The user's caches themselves may be elsewhere.
    let sandbox = Sandbox::new();
    let elsewhere = sandbox.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, sandbox.root().join("home/.cache")).unwrap();
    sandbox.gate_ok(&["gate", &head(&sandbox), "differing"]);
    assert!(elsewhere.join("git-lane/worktrees").exists());
}

#[test]
fn what_is_damaged_is_made_anew() {
    for deed in [
        "rm -rf tree/.git",
        "rm -rf tree",
        "rm -rf tree; ln -s /etc tree",
        "rm -rf tree/.git; ln -s /etc tree/.git",
        "rm tree/.git/commondir",
        "echo /nowhere/.git >tree/.git/commondir",
        "rm -r tree/.git/index; mkdir tree/.git/index",
        "echo x >index",
        "rm index",
        "echo x >put",
        "rm put",
        "rm -rf tree; echo x >tree",
        "rm -rf tree/.git; echo x >tree/.git",
        "echo x >lock",
        "rm lock; mkfifo lock",
        "rm lock; ln -s /etc/passwd lock",
        "rm tree/.git/HEAD; mkdir tree/.git/HEAD",
        "mkdir put.new index.new index.look; rm -f put; mkdir put",
        "truncate -s 70 index",
    ] {
        let sandbox = Sandbox::new();
        sandbox.gate_ok(&["gate", &head(&sandbox)]);
        sandbox.sh_in(&sandbox.slot("gate"), deed).ok();
        sandbox.gate_ok(&["gate", &head(&sandbox), "differing"]);
        sandbox.assert_exact("HEAD", &[], deed);
    }
}

#[test]
fn a_repository_that_was_moved_has_another_and_git_lane_takes_no_stranger_for_one() {
    let sandbox = Sandbox::new();
    sandbox.gate_ok(&["gate", &head(&sandbox)]);
    let stranger = sandbox.root().join("stranger");
    let copied = format!(
        "cp -r {} {}",
        sandbox.slot("gate").display(),
        stranger.display()
    );
    sandbox.sh(&copied).ok();
    let said = sandbox.lane_in(&stranger.join("tree"), ["list"]).fails(4);
    assert!(said.contains("does not know it"), "{said}");
    let moved = sandbox.root().join("moved");
    std::fs::rename(&sandbox.repo, &moved).unwrap();
    let mut driver = sandbox.gate_command(&[
        "gate",
        &format!(
            "check_out {}",
            sandbox.git_in(&moved, ["rev-parse", "HEAD"])
        ),
        "differing",
    ]);
    let run = sandbox.run(driver.current_dir(&moved));
    assert_eq!(run.ok().matches("=> ok").count(), 3);
    let mut doctor = sandbox.lane_in(&moved, ["doctor", "--json"]).findings();
    doctor.dedup();
    assert_eq!(doctor, ["gate-ref"], "that of the old place");
}

#[test]
fn every_sort_of_repository_has_one() {
    let formats: &[&[&str]] = match git_version() >= (2, 45) {
        true => &[&[], &["--object-format=sha256"], &["--ref-format=reftable"]],
        false => &[&[], &["--object-format=sha256"]],
    };
    for format in formats {
        let sandbox = Sandbox::empty();
        sandbox.git(["init", "-q", "-b", "main"].iter().chain(format.iter()));
        sandbox.git(["commit", "-q", "--allow-empty", "-m", "empty"]);
        sandbox.gate_ok(&["gate", &head(&sandbox), "differing"]);
        sandbox.assert_exact("HEAD", &[], "no files");
        for name in ["README", "new\nline", "a/b/c", "-x", ":(top)"] {
            sandbox.write(name, "x\n");
        }
        sandbox.sh("printf x >\"$(printf 'latin\\344')\"").ok();
        sandbox.commit("files");
        let deed = "sh rm -r a; echo y >README; echo z >stray; git checkout -q --detach HEAD~1 2>/dev/null || git checkout -q -f --detach HEAD~1; git symbolic-ref HEAD refs/heads/unborn";
        sandbox.gate_ok(&["gate", &head(&sandbox), deed, &head(&sandbox), "differing"]);
        sandbox.assert_exact("HEAD", &[], &format!("{format:?}"));
        let [commit, tree] = ["HEAD", "HEAD^{tree}"].map(|name| sandbox.git(["rev-parse", name]));
        let said = sandbox.gate_ok(&[
            "hooks",
            &format!("show_merge main {commit} {tree} message {commit} ff"),
            "sh git symbolic-ref HEAD; git rev-parse ORIG_HEAD MERGE_HEAD; git status --porcelain",
            "differing",
            "index_tree",
        ]);
        assert_eq!(
            said[2],
            format!("refs/heads/main\\n{commit}\\n{commit}"),
            "{format:?}"
        );
        assert_eq!((&*said[3], &*said[4]), ("[]", &*tree));
        let said = sandbox.gate(&[
            "gate",
            &head(&sandbox),
            "sh git checkout -q --detach HEAD~1",
            "differing",
        ]);
        assert!(
            said[3].starts_with("gate-worktree: "),
            "{format:?}: {said:?}"
        );
    }
}

#[test]
fn names_that_differ_in_case_only_are_two_files() {
    let sandbox = Sandbox::new();
    sandbox.write("Readme", "other\n");
    sandbox.write("SRC/app.txt", "other\n");
    sandbox.commit("cases");
    sandbox.gate_ok(&[
        "gate",
        &head(&sandbox),
        "sh rm Readme; echo x >SRC/APP.txt",
        &head(&sandbox),
    ]);
    sandbox.assert_exact("HEAD", &[], "case");
}

#[test]
fn submodules_stay_as_commands_leave_them() {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    sandbox
        .sh(&format!(
            "git init -q -b main {0}; cd {0}; echo a >a; git add a; git commit -qm a",
            library.display()
        ))
        .ok();
    sandbox.add_submodule(&library, "lib");
    let first = sandbox.commit("with a library");
    sandbox.sh_in(&library, "echo b >a; git commit -qam b").ok();
    sandbox.sh("git -C lib pull -q; git add lib").ok();
    let second = sandbox.commit("a newer one");
    sandbox.git(["rm", "-q", "-f", "lib"]);
    sandbox.write("lib", "a file\n");
    let third = sandbox.commit("none");
    let to = |commit: &str| format!("check_out {commit}");
    let steps = [
        "gate",
        &to(&first),
        "sh git submodule -q update --init && cat lib/a; echo o >lib/built",
        &to(&second),
        "sh cat lib/a lib/built",
        "differing",
    ];
    let said = sandbox.gate_ok(&steps);
    assert_eq!((&*said[2], &*said[4], &*said[5]), ("a", "a\\no", "[]"));
    sandbox.gate_ok(&["gate", &to(&third)]);
    sandbox.assert_exact(&third, &[], "a file instead");
    sandbox.gate_ok(&[
        "gate",
        &to(&second),
        "sh git submodule -q update --init && cat lib/a",
        "differing",
    ]);
    sandbox.gate_ok(&[
        "gate",
        &to(&first),
        "sh rm -rf lib; echo x >lib",
        &to(&second),
        "sh [ -d lib ]",
    ]);
}

/// Sparse checkouts, hooks and settings of the user's are for their own worktrees.
#[test]
fn settings_of_other_worktrees_do_not_count() {
    let sandbox = Sandbox::new();
    let told = sandbox.root().join("told");
    for hook in [
        "post-checkout",
        "post-index-change",
        "reference-transaction",
    ] {
        sandbox.hook(hook, format!("echo {hook} $(pwd) >>{}", told.display()));
    }
    for (key, value) in [
        ("core.sparseCheckout", "true"),
        ("core.splitIndex", "true"),
        ("core.ignoreStat", "true"),
        ("core.checkStat", "minimal"),
        ("core.trustctime", "false"),
    ] {
        sandbox.git(["config", key, value]);
    }
    sandbox.write("src/more", "more\n");
    sandbox.commit("more");
    write(&sandbox.repo.join(".git/info/sparse-checkout"), "/README\n");
    drop(std::fs::remove_file(&told));
    let deed = "sh cp -p README r; printf SHOP\\\\n >README; touch -r r README; rm r";
    sandbox.gate_ok(&["gate", &head(&sandbox), deed, &head(&sandbox)]);
    let tree = sandbox.gate_tree();
    assert_eq!(std::fs::read(tree.join("README")).unwrap(), b"shop\n");
    assert!(tree.join("src/more").exists());
    let told = std::fs::read_to_string(&told).unwrap_or_default();
    assert!(!told.contains("git-lane/worktrees"), "{told}");
}
