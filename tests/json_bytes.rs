//! Paths and names that are no text, in the documents of `--json`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde_json::Value;

use crate::support::{Sandbox, write};

#[track_caller]
fn bytes(document: &Value) -> Vec<u8> {
    serde_json::from_value(document.clone()).unwrap_or_else(|_| panic!("no bytes: {document}"))
}

/// What is not UTF-8 is an array of bytes in every document that has it.
#[test]
fn bytes_that_are_no_text_are_told_as_bytes() {
    let sandbox = Sandbox::new();
    let odd = OsStr::from_bytes(b"caf\xe9");
    let home = sandbox.root().join(odd);
    sandbox.git([
        OsStr::new("clone"),
        OsStr::new("-q"),
        OsStr::new("."),
        home.as_os_str(),
    ]);
    let lane = |args: &[&str], directory: &std::path::Path| -> Value {
        let mut command = sandbox.command("git-lane");
        let run = sandbox.run(command.args(args).arg("--json").current_dir(directory));
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
    };
    let started = lane(&["start", "x", "y"], &home);
    let path = bytes(&started["lanes"][0]["path"]);
    assert!(path.windows(4).any(|part| part == b"caf\xe9"), "{started}");
    let place = std::path::PathBuf::from(OsStr::from_bytes(&path));
    write(&place.join(odd), "new");
    let shown = lane(&["show", "x"], &home);
    assert_eq!(
        (bytes(&shown["path"]), bytes(&shown["changes"][0])),
        (path.clone(), b"?? caf\xe9".to_vec()),
        "{shown}"
    );
    assert_eq!(bytes(&lane(&["path", "x"], &home)["path"]), path);
    assert_eq!(
        bytes(&lane(&["list"], &home)["lanes"][0]["path"]),
        home.as_os_str().as_bytes()
    );
    let there = std::path::PathBuf::from(OsStr::from_bytes(&bytes(&started["lanes"][1]["path"])));
    let finished = lane(&["finish", "y"], &there);
    assert_eq!(
        bytes(&finished["goTo"]),
        home.as_os_str().as_bytes(),
        "{finished}"
    );
    let dropped = lane(&["drop", "--yes", "x"], &home);
    assert_eq!(bytes(&dropped["dropped"][0]["path"]), path);
    let entries = home.join(".git/lane/trash");
    let damaged = entries.join("20200101T000000Z-000000-x");
    std::fs::create_dir_all(&damaged).unwrap();
    write(&damaged.join("entry.json"), "{");
    let trash = lane(&["trash"], &home);
    let damaged: Vec<Vec<u8>> = trash["damaged"]
        .as_array()
        .unwrap()
        .iter()
        .map(bytes)
        .collect();
    assert!(
        damaged
            .iter()
            .all(|path| path.starts_with(home.as_os_str().as_bytes())),
        "{trash}"
    );
    write(&home.join(".git/lane.toml"), "[trash]\ndays = 3\n");
    let pages = home.join("pages");
    let mut command = sandbox.command("git-lane");
    let run = sandbox.run(
        command
            .args(["man", "--json", "--output"])
            .arg(&pages)
            .current_dir(&home),
    );
    let written: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(bytes(&written["directory"]), pages.as_os_str().as_bytes());
}
