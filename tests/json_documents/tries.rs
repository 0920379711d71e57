//! The documents of `git lane try`.

use super::Met;
use crate::support::{Sandbox, write};

/// Lanes that the main worktree shows.
pub fn meet(met: &mut Met) {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "other"]).ok();
    write(&sandbox.lane_path("login").join("README"), "edited\n");
    for args in [
        &["try", "login", "-n"][..],
        &["try", "login"],
        &["list"],
        &["undo", "-n"],
        &["try", "other"],
        &["try", "--back", "-n"],
        &["try", "--back"],
        &["try", "login"],
        &["log"],
    ] {
        met.run(&sandbox, args.iter().copied());
    }
    sandbox.write("README", "edited in main\n");
    met.run(&sandbox, ["try", "--back"]);
    met.run(&sandbox, ["try", "--back", "--to-lane"]);
    met.run(&sandbox, ["try", "--back"]);
}
