//! What hooks find of the ignored files in the user's worktree, by links that never stay.

use crate::support::{Sandbox, write};

fn repository() -> (Sandbox, String, String) {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "node_modules/\n.env\n*.o\n");
    sandbox.write("pkg/code", "code\n");
    let main = sandbox.commit("ignores");
    sandbox.write("node_modules/tool/run", "tool\n");
    sandbox.write("pkg/node_modules/x", "x\n");
    sandbox.write(".env", "secret\n");
    sandbox.write("new-directory/a.o", "o\n");
    let tree = sandbox.git(["rev-parse", "main^{tree}"]);
    let show = format!("show_merge main {main} {tree} merged");
    (sandbox, show, tree)
}

#[test]
fn hooks_find_what_is_ignored_and_add_none_of_it() {
    let (sandbox, show, tree) = repository();
    let look = "sh cat node_modules/tool/run pkg/node_modules/x .env; git add -A; git ls-files -s node_modules .env pkg/node_modules";
    let said = sandbox.gate_ok(&[
        "hooks",
        &show,
        "link",
        look,
        "differing",
        "index_tree",
        "unlink",
        "sh ls -A . pkg",
    ]);
    assert!(
        said[3].starts_with("tool\\nx\\nsecret") && !said[3].contains("120000"),
        "{said:?}"
    );
    assert_eq!(
        (
            &*said[5],
            said[7].contains("node_modules") || said[7].contains(".env")
        ),
        (&*tree, false),
        "{said:?}"
    );
    assert!(sandbox.repo.join("node_modules/tool/run").exists());
    // A link stays out of what a hook adds beside it.
    let said = sandbox.gate_ok(&[
        "hooks",
        &show,
        "link",
        "sh echo x >new; git add -A",
        "index_tree",
        "unlink",
    ]);
    let names = sandbox.git(["ls-tree", "-r", "--name-only", &said[4]]);
    assert!(
        names.contains("new") && !names.contains("node_modules") && !names.contains(".env"),
        "{names}"
    );
}

#[test]
fn a_link_that_is_another_by_now_stays_and_a_crash_leaves_none() {
    let (sandbox, show, _) = repository();
    let own = "sh rm .env; echo own >.env; ln -sfn /etc pkg/node_modules";
    sandbox.gate_ok(&["hooks", &show, "link", own, "unlink"]);
    let tree = sandbox.slot("hooks").join("tree");
    assert_eq!(std::fs::read(tree.join(".env")).unwrap(), b"own\n");
    assert!(std::fs::symlink_metadata(tree.join("node_modules")).is_err());
    // The process ends before it has removed them.
    sandbox.gate_ok(&["hooks", &show, "link"]);
    assert!(std::fs::symlink_metadata(tree.join("node_modules")).is_ok());
    sandbox.gate_ok(&["hooks", &show]);
    assert!(std::fs::symlink_metadata(tree.join("node_modules")).is_err());
    assert!(!sandbox.slot("hooks").join("links").exists());
    // What is there already is not linked over.
    write(&tree.join("node_modules/own"), "own");
    sandbox.gate_ok(&["hooks", &show, "link", "unlink"]);
    assert!(tree.join("node_modules/own").exists());
}
