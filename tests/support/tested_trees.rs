//! What receipts say of the trees that a base was moved to.

use std::collections::BTreeSet;

use super::Sandbox;

impl Sandbox {
    /// The moves of `main` by git-lane, as its reflog tells them, to trees that no receipt of a
    /// gate that succeeded vouches for.
    pub fn untested_moves(&self) -> Vec<String> {
        let receipts = self.root().join("home/.local/state/git-lane/receipts");
        let good: BTreeSet<String> = std::fs::read_dir(receipts)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|file| {
                let text = std::fs::read(file.path()).ok()?;
                let receipt: serde_json::Value = serde_json::from_slice(&text).ok()?;
                let tree = receipt["tree"].as_str()?.to_owned();
                (receipt["exit"] == 0).then_some(tree)
            })
            .collect();
        let moves = self.git(["reflog", "show", "--format=%T %gs", "main"]);
        let untested = |line: &&str| {
            let (tree, reason) = line.split_once(' ').unwrap_or_default();
            reason.starts_with("lane: ") && !good.contains(tree)
        };
        moves.lines().filter(untested).map(str::to_owned).collect()
    }
}
