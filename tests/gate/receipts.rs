//! What was tested is not tested again, for as long as a receipt says so.

use super::{code, gate, policy, runs, with_lanes};

#[test]
fn a_tree_is_tested_once_whichever_lane_brings_it() {
    let sandbox = with_lanes(&["a", "b"]);
    let gate = gate(&sandbox, "exit 1");
    for _ in 0..2 {
        assert_eq!(
            code(sandbox.lane(["finish", "a", "--gate", &gate, "--json"]), 6),
            "gate-failed"
        );
    }
    assert_eq!(runs(&sandbox), ["a"]);
    let again = ["finish", "a", "--gate", &gate, "--again", "--json"];
    assert_eq!(code(sandbox.lane(again), 6), "gate-failed");
    assert_eq!(runs(&sandbox), ["a", "a"]);
    // The base moves by a commit that changes no file: the tree is the same.
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "empty"]);
    assert_eq!(
        code(sandbox.lane(["finish", "a", "--gate", &gate, "--json"]), 6),
        "gate-failed"
    );
    assert_eq!(runs(&sandbox).len(), 2);
    // Other commands have another receipt.
    let more = ["finish", "a", "--gate", &gate, "--gate", "true", "--json"];
    assert_eq!(code(sandbox.lane(more), 6), "gate-failed");
    assert_eq!(runs(&sandbox).len(), 3);
}

#[test]
fn a_receipt_that_is_damaged_or_old_says_nothing() {
    let sandbox = with_lanes(&["a"]);
    let gate = gate(&sandbox, "exit 1");
    let receipts = sandbox.root().join("home/.local/state/git-lane/receipts");
    let receipt = || {
        let files = std::fs::read_dir(&receipts).unwrap().flatten();
        let named = files.filter(|file| file.file_name().to_string_lossy().ends_with(".json"));
        named.map(|file| file.path()).next().unwrap()
    };
    let finish = || code(sandbox.lane(["finish", "a", "--gate", &gate, "--json"]), 6);
    let mut expected = 1;
    finish();
    for damage in [
        &(|text: &str| text.replace("\"exit\":1", "\"exit\":0")) as &dyn Fn(&str) -> String,
        &|text| text[..text.len() / 2].to_owned(),
        &|_| String::new(),
        &|text| {
            let old = text.find("\"at\":").unwrap();
            let end = old + text[old..].find(',').unwrap();
            format!("{}\"at\":1000000{}", &text[..old], &text[end..])
        },
    ] {
        let path = receipt();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, damage(&text)).unwrap();
        finish();
        expected += 1;
        assert_eq!(runs(&sandbox).len(), expected);
    }
    policy(&sandbox, "[finish]\nreceipt-days = 1\n");
    finish();
    assert_eq!(runs(&sandbox).len(), expected);
}
