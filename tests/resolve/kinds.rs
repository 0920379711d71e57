//! Conflicts of every kind, resolved and not.

use super::code;
use crate::support::{Sandbox, write};

/// A lane `login` in which `lane` was run and committed, and a base in which `base` was.
fn diverging(before: &str, lane: &str, base: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.sh(before).ok();
    sandbox.git(["commit", "-q", "--allow-empty", "-am", "before"]);
    sandbox.lane(["start", "login"]).ok();
    let path = sandbox.lane_path("login");
    sandbox.sh_in(&path, lane).ok();
    sandbox.sh(base).ok();
    for directory in [&path, &sandbox.repo] {
        sandbox.git_in(directory, ["add", "-A"]);
        sandbox.git_in(directory, ["commit", "-q", "-m", "one side"]);
    }
    sandbox
}

/// What there is before, what the lane does, what the base does, and a resolver.
const TABLE: &[(&str, &str, &str, &str, &str)] = &[
    (
        "binary files",
        "printf '\\0a' >f; git add f",
        "printf '\\0b' >f",
        "printf '\\0c' >f",
        "git checkout -q --theirs f && git add f",
    ),
    (
        "deleted here",
        "echo a >f; git add f",
        "rm f",
        "echo b >f",
        "git rm -q f",
    ),
    (
        "deleted there",
        "echo a >f; git add f",
        "echo b >f",
        "rm f",
        "git add f",
    ),
    ("added twice", "true", "echo a >f", "echo b >f", "echo c >f"),
    (
        "links",
        "ln -s a f; git add f",
        "ln -sf b f",
        "ln -sf c f",
        "ln -sf d f; git add f",
    ),
    (
        "a link against a file",
        "true",
        "ln -s a f",
        "echo b >f",
        "git ls-files -z --unmerged | cut -zf2 | sort -zu | xargs -0 git rm -qf --; echo c >f; \
         git add f",
    ),
    (
        "a directory against a file",
        "true",
        "echo a >d",
        "mkdir d; echo b >d/f",
        "git rm -q d~HEAD || git rm -q d~login",
    ),
    (
        "renames on both sides",
        "seq 9 >f; git add f",
        "git mv f a",
        "git mv f b",
        "git rm -q f b; git add a",
    ),
    (
        "a rename against a change",
        "seq 9 >f; git add f",
        "git mv f a; echo lane >>a",
        "echo base >>f",
        "sed -i '/^[<=>]\\{7\\}/d' a",
    ),
    (
        "a name with a line break",
        "echo a >'a\nb'; git add -A",
        "echo b >'a\nb'",
        "echo c >'a\nb'",
        "xargs -0 sed -i '/^[<=>]\\{7\\}/d' -- <\"$GIT_LANE_CONFLICTS\"",
    ),
    (
        "a name like an option",
        "echo a >-f; git add -A",
        "echo b >./-f",
        "echo c >./-f",
        "echo d >./-f",
    ),
    (
        "longer markers",
        "echo '* conflict-marker-size=9' >.gitattributes; echo a >f; git add -A",
        "echo b >f",
        "echo c >f",
        "sed -i '/^[<=>]\\{9\\}/d' f",
    ),
    (
        "headings like markers",
        "printf 'T\\n=======\\na\\n' >f; git add f",
        "printf 'T\\n=======\\nb\\n' >f",
        "printf 'T\\n=======\\nc\\n' >f",
        "printf 'T\\n=======\\nd\\n' >f",
    ),
    (
        "a filter",
        "git config filter.up.clean 'tr A-Z a-z'; git config filter.up.smudge 'tr a-z A-Z'; \
         echo 'f filter=up' >.gitattributes; echo A >f; git add -A",
        "echo B >f",
        "echo C >f",
        "echo D >f",
    ),
    (
        "modes and content",
        "echo a >f; git add f",
        "echo b >f; chmod +x f",
        "echo c >f",
        "echo d >f",
    ),
];

#[test]
fn each_kind_is_resolved_and_lands() {
    for (kind, before, lane, base, resolver) in TABLE {
        let sandbox = diverging(before, lane, base);
        let run = sandbox.resolving(resolver, &["--json", "--strategy", "merge"]);
        assert_eq!(run.code, 0, "{kind}: {run}");
        assert_eq!(run.json()["landed"]["resolved"], true, "{kind}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{kind}");
        // Whole files: a merge commit shows none of them.
        sandbox.sh("git grep -q -e '^<<<<<<<' main").fails(1);
        sandbox.nothing_under_way();
    }
}

#[test]
fn each_kind_is_given_up_and_the_lane_is_as_before() {
    for (kind, before, lane, base, resolver) in TABLE {
        for does in ["true".to_owned(), format!("{{ {resolver}; }}; exit 1")] {
            let sandbox = diverging(before, lane, base);
            let was = sandbox.lane_as_it_is("login");
            let run = sandbox.resolving(&does, &["--json", "--strategy", "merge"]);
            assert_eq!(run.code, 3, "{kind}: {run}");
            let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(code(&document), "unresolved", "{kind}: {run}");
            assert_eq!(sandbox.lane_as_it_is("login"), was, "{kind}: {run}");
            sandbox.nothing_under_way();
        }
    }
}

/// Without markers nothing shows that a file was looked at.
#[test]
fn what_has_no_markers_has_to_be_changed_or_added() {
    let (_, before, lane, base, _) = TABLE[0];
    let sandbox = diverging(before, lane, base);
    let said = sandbox.resolving("true", &[]).fails(3);
    assert!(said.contains("nothing was done about 'f'"), "{said}");
    assert!(said.contains("with git add or git rm: f"), "{said}");
    sandbox.resolving("printf '\\0d' >f", &[]).ok();
}

#[test]
fn a_submodule_in_conflict_is_resolved_by_git_add() {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    std::fs::create_dir(&library).unwrap();
    sandbox.git_in(&library, ["init", "-q", "-b", "main"]);
    let mut commits = Vec::new();
    for number in 0..3 {
        let message = format!("{number}");
        sandbox.git_in(
            &library,
            ["switch", "-q", "--orphan", &format!("b{number}")],
        );
        sandbox.git_in(&library, ["commit", "-q", "--allow-empty", "-m", &message]);
        commits.push(sandbox.git_in(&library, ["rev-parse", "HEAD"]));
    }
    sandbox.git_in(&library, ["switch", "-q", "b0"]);
    sandbox.add_submodule(&library, "lib");
    sandbox.commit("a submodule");
    sandbox.lane(["start", "login"]).ok();
    let lane = sandbox.lane_path("login");
    for (directory, commit) in [(&lane, &commits[1]), (&sandbox.repo, &commits[2])] {
        let entry = format!("160000,{commit},lib");
        sandbox.git_in(directory, ["update-index", "--cacheinfo", &entry]);
        sandbox.git_in(directory, ["commit", "-q", "-m", "moves it"]);
    }
    sandbox.git(["submodule", "-q", "update"]);
    let was = sandbox.lane_as_it_is("login");
    sandbox.resolving("true", &[]).fails(3);
    assert_eq!(sandbox.lane_as_it_is("login"), was);
    let entry = format!("160000,{},lib", commits[2]);
    let resolver = format!("git update-index --cacheinfo {entry} && git commit -q --no-edit");
    sandbox.resolving(&resolver, &[]).ok();
    assert_eq!(sandbox.git(["rev-parse", "main:lib"]), commits[2]);
}

#[test]
fn a_base_with_the_name_of_a_tag_is_the_branch() {
    let sandbox = super::conflicting();
    sandbox.git(["tag", "main", "main~1"]);
    sandbox.resolving(super::BOTH, &[]).ok();
    let text = sandbox.git(["show", "refs/heads/main:src/app.txt"]);
    assert!(text.contains("login\nbase"), "{text}");
}

#[test]
fn a_file_that_cannot_be_read_keeps_all_as_it_is_and_heals() {
    if rustix::process::geteuid().is_root() {
        return crate::support::skipped("root reads everything");
    }
    let sandbox = super::conflicting();
    let was = sandbox.lane_as_it_is("login");
    let run = sandbox.resolving("echo x >left; chmod 0 left; exit 1", &[]);
    assert!(run.code != 0, "{run}");
    let left = sandbox.lane_path("login").join("left");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&left, open).unwrap();
    write(&left, "x\n");
    sandbox.lane(["start", "other"]).ok();
    assert_eq!(sandbox.lane_as_it_is("login"), was);
}
