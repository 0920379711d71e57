//! The trash on terminals of every width.

use std::path::Path;

use crate::support::{Sandbox, WIDTHS, change_entry, write};

const LOGIN: &str = "agent-7/fix-login-form-validation";

/// Several removed lanes, two of one name among them, removed days ago.
fn removed() -> Sandbox {
    let sandbox = Sandbox::new();
    let names = [LOGIN, "invoices", "search-results-paging", "dark-mode"];
    sandbox.lane([&["start"], names.as_slice()].concat()).ok();
    for name in ["search-results-paging", "invoices"] {
        sandbox.work(name, name, "x");
    }
    let login = sandbox.lane(["path", LOGIN]).ok();
    for file in ["one", "two", "README"] {
        write(&Path::new(login.trim_end()).join(file), "changed");
    }
    sandbox.lane(["finish", "search-results-paging"]).ok();
    sandbox.lane(["drop", "--yes", "invoices"]).ok();
    sandbox.lane(["start", "invoices"]).ok();
    sandbox.lane(["drop", "--yes", "invoices", LOGIN]).ok();
    sandbox.lane(["prune", "--older-than", "0s"]).ok();
    let mut ids = sandbox.entry_ids();
    ids.sort();
    for (id, hours) in ids.iter().zip([340, 54, 50, 30, 26]) {
        let entry = sandbox.entry_with(id);
        change_entry(&entry, |json| {
            json["removed"] = (json["removed"].as_i64().unwrap() - hours * 3600).into();
        });
        write(&entry.join("size"), "3145728\n");
    }
    sandbox
}

#[test]
fn what_restore_needs_is_there_at_every_width() {
    let sandbox = removed();
    sandbox.assert_terminals("trash", &["trash"]);
    let entries = sandbox.lane(["trash", "--json"]).json();
    for columns in WIDTHS.into_iter().chain([20, 60, 100]) {
        let mut command = sandbox.command("git-lane");
        let command = command.arg("trash").env("COLUMNS", columns.to_string());
        let text = sandbox.run(command).ok();
        for entry in entries["entries"].as_array().unwrap() {
            let [name, id] = ["lane", "trash"].map(|key| entry[key].as_str().unwrap());
            assert!(text.contains(name), "{columns} {name}: {text}");
            assert!(
                name != "invoices" || text.contains(id),
                "{columns} {id}: {text}"
            );
        }
        assert!(!text.contains('…'), "{columns}: {text}");
    }
}
