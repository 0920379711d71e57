//! A command that a hint names works as it is pasted, wherever one stands.

use super::*;

/// What is done to the lane, the options of the landing, its exit code, the hint's beginning, the exit
/// code of what it names, and what is to be so in the lane afterwards.
type Row = (
    &'static str,
    &'static [&'static str],
    i32,
    &'static str,
    i32,
    &'static str,
);

const IN_CONFLICT: &str = "git ls-files --unmerged | grep -q . && ls \
                           $(git rev-parse --git-path MERGE_HEAD)";
const IN_A_REBASE: &str = "git ls-files --unmerged | grep -q . && ls -d \
                           $(git rev-parse --git-path rebase-merge)";
const AT_HOME: &str = "test $(git branch --show-current) = login && test -z \
                       \"$(git status --porcelain)\"";

#[test]
fn what_a_refused_landing_advises_works_from_the_main_worktree() {
    let table: &[Row] = &[
        ("", &[], 3, "lay the conflict out", 3, IN_CONFLICT),
        ("", &["--strategy", "merge"], 3, "lay the", 3, IN_CONFLICT),
        ("", &["--strategy", "rebase"], 3, "lay the", 3, IN_A_REBASE),
        // Another branch than its own base, of which a sync knows nothing.
        (
            "git branch more main",
            &["--into", "more"],
            3,
            "lay the",
            1,
            IN_CONFLICT,
        ),
        (
            "git branch more main",
            &["--into", "more", "--strategy", "rebase"],
            3,
            "lay the",
            1,
            IN_A_REBASE,
        ),
        (
            "git switch -q --detach",
            &[],
            1,
            "take the lane back",
            0,
            AT_HOME,
        ),
        (
            "git switch -q -c other",
            &[],
            1,
            "take the lane back",
            0,
            AT_HOME,
        ),
        (
            "git bisect start -q HEAD HEAD~1",
            &[],
            1,
            "end it with",
            0,
            AT_HOME,
        ),
        ("git merge -q main; true", &[], 1, "end it with", 0, AT_HOME),
        (
            "git rebase -q main; true",
            &[],
            1,
            "end it with",
            0,
            AT_HOME,
        ),
        (
            "git cherry-pick main; true",
            &[],
            1,
            "end it with",
            0,
            AT_HOME,
        ),
        (
            "git switch -q --orphan new && git commit -q --allow-empty -m new && git branch -f \
             login && git switch -q login",
            &[],
            1,
            "join them",
            0,
            "git merge-base --is-ancestor main HEAD",
        ),
    ];
    for (work, options, code, beginning, ended, then) in table {
        let sandbox = with_lane();
        sandbox.write("src/app.txt", "one\ntwo\ndrei\n");
        sandbox.commit("clash");
        let lane = sandbox.lane_path("login");
        sandbox.sh_in(&lane, work).ok();
        let main = sandbox.git(["rev-parse", "main"]);
        let args = ["finish", "login", "--json"];
        let run = sandbox.lane(args.iter().chain(*options));
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let error = run.fails(*code);
        let hint = document["error"]["hints"][0].as_str().unwrap();
        assert!(hint.starts_with(beginning), "{work} {options:?}: {hint}");
        // The last command of a hint takes back what there is to take back.
        let (_, command) = hint.rsplit_once(": ").unwrap();
        let pasted = sandbox.sh(command);
        assert_eq!(pasted.code, *ended, "{command}: {pasted}: {error}");
        let home = sandbox.git(["symbolic-ref", "--short", "HEAD"]);
        assert_eq!(home, "main", "{command}");
        assert_eq!(sandbox.git(["rev-parse", "main"]), main, "{command}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{command}");
        let as_told = sandbox.sh_in(&lane, then);
        assert_eq!(as_told.code, 0, "{work} {options:?}: {command}: {pasted}");
    }
}
