//! Where commits come from: the object database, the commit-graph, and what grafts and shallow
//! boundaries make of them.

use std::collections::HashMap;

use gix::ObjectId;
use gix::commitgraph::Graph;

use crate::error::{Error, Result};

/// Where commits come from, and what has been done to their parents.
pub(super) struct Source<'a> {
    pub(super) repo: &'a gix::Repository,
    pub(super) graph: Option<Graph>,
    /// Shallow boundaries (no parents) and grafts.
    pub(super) parents: HashMap<ObjectId, Vec<ObjectId>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(repo: &'a gix::Repository) -> Result<Self> {
        let failed = |error| Error::git("cannot read the history").caused_by(error);
        let mut parents = HashMap::new();
        if let Ok(grafts) = crate::store::optional::bytes(repo.common_dir().join("info/grafts")) {
            for line in grafts.split(|byte| *byte == b'\n') {
                let mut ids = line
                    .split(|byte| *byte == b' ')
                    .map_while(|id| ObjectId::from_hex(id.trim_ascii()).ok());
                if let Some(commit) = ids.next() {
                    parents.insert(commit, ids.collect());
                }
            }
        }
        for commit in repo
            .shallow_commits()
            .map_err(failed)?
            .iter()
            .flat_map(|commits| commits.iter())
        {
            parents.insert(*commit, Vec::new());
        }
        // Like git, which ignores a commit-graph that cannot know of grafts and shallow boundaries,
        // or is damaged.
        let graph = if parents.is_empty() {
            repo.commit_graph_if_enabled().unwrap_or(None)
        } else {
            None
        };
        Ok(Source {
            repo,
            graph,
            parents,
        })
    }
}
