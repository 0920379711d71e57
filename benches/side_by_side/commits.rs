//! Many commits and many refs: how far ahead, how far behind, and what is integrated.

use std::path::{Path, PathBuf};

use crate::fixture::Fixtures;
use crate::race::Race;

/// A clone whose 50 branches are lanes without a directory: nothing to read but commits.
fn lanes_without_files(fixtures: &Fixtures, source: &Path) -> PathBuf {
    let repo = fixtures.fresh("repo").join("shop.git");
    fixtures.git(
        source,
        &[
            "clone",
            "-q",
            "--mirror",
            "--local",
            ".",
            repo.to_str().unwrap(),
        ],
    );
    fixtures.git(&repo, &["commit-graph", "write", "--reachable"]);
    let mut config = std::fs::read_to_string(repo.join("config")).unwrap();
    let fork = "0123456789012345678901234567890123456789";
    for n in 0..50 {
        config.push_str(&format!(
            "[lane \"b{n}\"]\n\tid = {n}\n\tbranch = b{n}\n\tworktree = /nowhere/b{n}\n"
        ));
        config.push_str(&format!(
            "\tbase = refs/heads/main\n\tforkPoint = {fork}\n\tcreated = 2026-01-01T00:00:00Z\n"
        ));
    }
    std::fs::write(repo.join("config"), config).unwrap();
    repo
}

fn compare(race: &mut Race, title: &str, source: &Path) {
    let repo = lanes_without_files(&race.fixtures, source);
    race.run(
        title,
        1.5,
        &mut |fixtures, _| {
            let mut command = fixtures.command("git-lane", &repo);
            command.args(["list", "--json"]);
            command
        },
        &mut |fixtures, _| {
            let mut command = fixtures.command("sh", &repo);
            let git = std::env::var("GIT_LANE_TEST_GIT").unwrap_or_else(|_| "git".into());
            let script = "\"$0\" for-each-ref --format='%(ahead-behind:main)' 'refs/heads/b*' \
                          && \"$0\" branch --merged main --list 'b*'";
            command.args(["-c", script, &git]);
            command
        },
    );
}

/// 200,000 commits with a commit-graph.
pub fn compare_with_graph(race: &mut Race) {
    let source = race.fixtures.history(200_000, 0);
    compare(race, "50 branches, 200000 commits / ahead-behind", &source);
}

/// 10,000 refs.
pub fn compare_among_many_refs(race: &mut Race) {
    let source = race.fixtures.history(20_000, 10_000);
    compare(race, "50 branches, 10000 refs / ahead-behind", &source);
}
