//! Verbs that people know from other programs lead somewhere, and mistyped ones to the nearest.

use crate::support::Sandbox;

#[test]
fn a_familiar_verb_is_answered_with_a_line_that_works() {
    let sandbox = Sandbox::new();
    let told = sandbox.lane(["new", "login"]).fails(2);
    assert_eq!(
        told,
        "error: git-lane has no verb 'new'\nhint: here it is: git lane start login\n"
    );
    let paste = |told: &str| {
        let line = told.rsplit_once("here it is: ").unwrap().1;
        sandbox.sh(line).ok()
    };
    paste(&told);
    assert!(sandbox.lane_path("login").exists());
    let told = sandbox.lane(["switch", "login"]).fails(2);
    let line = told.rsplit_once("here it is: ").unwrap().1.trim_end();
    let there = sandbox.sh(&format!("{line} && pwd")).ok();
    assert_eq!(
        there.trim_end(),
        sandbox.lane_path("login").to_str().unwrap()
    );
    paste(&sandbox.lane(["merge", "login"]).fails(2));
    assert!(!sandbox.lane_path("login").exists());
    paste(
        &sandbox
            .lane(["create", "a b;touch pwned", "x"])
            .fails(2)
            .replace("'a b;touch pwned' ", ""),
    );
    paste(&sandbox.lane(["rm", "x"]).fails(2));
    assert!(!sandbox.lane_path("x").exists());
}

#[test]
fn in_json_the_answer_is_a_document() {
    let sandbox = Sandbox::new();
    let run = sandbox.lane(["--json", "new", "login"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let error = &document["error"];
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&"usage".into(), &"no-such-verb".into())
    );
    assert_eq!(error["hints"][0], "here it is: git lane --json start login");
    assert_eq!(
        error["details"],
        serde_json::json!({ "verb": "new", "instead": "start" })
    );
    run.fails(2);
}

#[test]
fn what_is_the_same_is_done() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let list = sandbox.lane(["list", "--no-status"]).ok();
    for word in ["ls", "status"] {
        assert_eq!(sandbox.lane([word, "--no-status"]).ok(), list, "{word}");
    }
    assert_eq!(sandbox.lane(["help"]).ok(), sandbox.lane(["--help"]).ok());
    assert_eq!(
        sandbox.lane(["help", "start"]).ok(),
        sandbox.lane(["start", "--help"]).ok()
    );
    assert_eq!(
        sandbox.lane(["version"]).ok(),
        sandbox.lane(["--version"]).ok()
    );
}

#[test]
fn no_hidden_verb_is_ever_suggested() {
    let sandbox = Sandbox::new();
    for (typed, nearest) in [
        ("hok", None),
        ("hooks", None),
        ("complet", Some("completions")),
        ("compleet", Some("completions")),
        ("finsh", Some("finish")),
        ("stat", Some("start")),
        ("lst", Some("list")),
        ("xyzzy", None),
    ] {
        let told = sandbox.lane([typed]).fails(2);
        let named = format!("error: git-lane has no verb '{typed}'\nhint: ");
        assert!(told.starts_with(&named), "{told}");
        match nearest {
            Some(verb) => assert!(
                told.contains(&format!("did you mean: git lane {verb}")),
                "{told}"
            ),
            None => assert!(
                told.ends_with("hint: see the verbs with: git lane -h\n"),
                "{told}"
            ),
        }
        let hidden = ["git lane hook", "git lane complete\n", "git lane complete;"];
        assert!(!hidden.iter().any(|hidden| told.contains(hidden)), "{told}");
    }
}

#[test]
fn nothing_typed_steers_the_terminal() {
    let sandbox = Sandbox::new();
    let told = sandbox.lane(["new\u{1b}[2J\nx"]).fails(2);
    assert!(
        !told.contains('\u{1b}') && told.lines().count() == 2,
        "{told:?}"
    );
}
