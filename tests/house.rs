//! What must stay true of the source itself.
use crate::support::files;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `directory`, with its text.
fn sources(directory: &str) -> Vec<(String, String)> {
    let mut paths = files(&root().join(directory));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    let found: Vec<_> = paths.into_iter().map(read).collect();
    assert!(!found.is_empty(), "{directory}");
    found
}

/// The part of a file before its unit tests, without comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_file_says_what_it_is_for() {
    for directory in ["src", "tests", "benches"] {
        for (name, text) in sources(directory) {
            assert!(
                text.starts_with("//! "),
                "{name} does not open with //! lines"
            );
        }
    }
}

#[test]
fn the_domain_is_pure() {
    for (name, text) in sources("src/domain") {
        for word in [
            "std::fs",
            "std::process",
            "std::env",
            "SystemTime",
            "Timestamp::now",
            "crate::store",
            "crate::ui",
            "crate::commands",
        ] {
            assert!(!code(&text).contains(word), "{name} mentions {word}");
        }
    }
}

#[test]
fn only_the_ui_prints() {
    for (name, text) in sources("src") {
        // The journal's crash points speak to the tests that set them.
        let allowed = name.starts_with("src/ui/") || name == "src/store/journal/mod.rs";
        for word in ["println!", "print!(", "eprint!("] {
            assert!(allowed || !code(&text).contains(word), "{name} prints");
        }
    }
}

#[test]
fn git_is_started_from_the_git_folder_and_prompts_live_in_the_ui() {
    for (name, text) in sources("src") {
        let code = code(&text);
        assert!(
            name.starts_with("src/store/git/") || !code.contains("Command::new(Git"),
            "{name} starts git"
        );
        assert!(
            name.starts_with("src/ui/") || !code.contains("dialoguer"),
            "{name} asks"
        );
        assert!(
            name.starts_with("src/ui/") || !code.contains("indicatif"),
            "{name} draws progress"
        );
        assert!(
            !code.contains("todo!(") && !code.contains("unimplemented!("),
            "{name} is not finished"
        );
    }
}

#[test]
fn what_is_made_in_a_repository_is_made_where_its_users_may_share_it() {
    // Indexes with their own call of it, worktrees, what moves with the mode it has, a probe in the
    // temporary directory, and what is in the user's own directories.
    let worktrees = [
        "operations/land/stage",
        "engines/populate/fill",
        "operations/start/publish",
        "operations/trash/links",
        "operations/trash/lower_layer",
        "operations/try_lane/take_in",
    ];
    let others = [
        "store/permissions",
        "store/lane_files",
        "engines/populate/new_index",
        "engines/evidence/isolated",
        "repository/provenance/registry",
        "operations/gate/gate_run",
        "operations/gate/own_worktree",
        "operations/land/landing_hooks",
    ];
    let floors = [
        "src/operations",
        "src/repository",
        "src/engines",
        "src/store",
        "src/guard",
    ];
    for (name, text) in floors.into_iter().flat_map(sources) {
        let allowed = worktrees
            .iter()
            .chain(&others)
            .any(|other| name == format!("src/{other}.rs"));
        let makes = |line: &&str| {
            let opens = ["create(true)", "create_new(true)", "create(create)"]
                .iter()
                .any(|word| line.contains(word));
            let words = [
                " fs::write(",
                "std::fs::write(",
                "fs::create_dir",
                "File::create(",
            ];
            let checked = ["shared.open(", "lane_dir.open(", "shared().open("]
                .iter()
                .any(|by| line.contains(by));
            opens && !checked || words.iter().any(|word| line.contains(word))
        };
        // An opening is one line here, whatever rustfmt makes of it.
        let lines = code(&text).replace("open(\n", "open(");
        let chained = |line: &str| match line.trim_start() {
            link if link.starts_with('.') => link.to_owned(),
            line => format!("\n{line}"),
        };
        let code: String = lines.lines().map(chained).collect();
        let found = code
            .lines()
            .find(makes)
            .filter(|_| !allowed && !name.contains("/tests/"));
        assert!(
            found.is_none(),
            "{name} makes something without store::permissions: {found:?}"
        );
    }
}

/// No hook hears of an index of git-lane's own: only `on_own_index` names one to git. A hook of a
/// landing is shown one, and the guard's own gits work on the caller's.
#[test]
fn an_index_of_our_own_is_named_in_one_place() {
    let places = [
        "store/git/without_hooks",
        "operations/land/landing_hooks",
        "guard/remedy",
    ];
    for (name, text) in sources("src") {
        let allowed = places.iter().any(|place| name == format!("src/{place}.rs"));
        assert!(
            allowed || !code(&text).contains("env(\"GIT_INDEX_FILE\""),
            "{name} names an index to git"
        );
    }
}

/// What came with an archive may be a link, a pipe or endless: `store::lane_files` opens what lies
/// in `.git/lane`.
#[test]
fn gits_lane_directory_is_read_in_one_place() {
    let readers = [
        "store/journal/mod",
        "store/events",
        "store/lockfile",
        "store/scratch",
        "operations/trash/mod",
        "operations/trash/size",
        "operations/trash/links",
        "operations/trash/parking",
    ];
    for (name, text) in sources("src") {
        if !readers
            .iter()
            .any(|reader| name == format!("src/{reader}.rs"))
        {
            continue;
        }
        let code = code(&text);
        let words = [
            "fs::read(",
            "fs::read_to_string(",
            "File::open(",
            "fs::write(",
            "shared.write(",
            "shared.create(",
        ];
        let opens = |line: &&str| words.iter().any(|word| line.contains(word));
        // A directory that was just made is locked by the process that made it.
        let found = code
            .lines()
            .filter(opens)
            .find(|line| !line.contains("let Ok(alive) = File::open(&path)"));
        assert!(
            found.is_none(),
            "{name} opens something by itself: {found:?}"
        );
    }
}

/// What a function does depends on what it is given. Signals are the process's own, the user's name,
/// the machine and its boot stay what they are, and the steps count for the crash tests alone. What is under way is shown on the
/// terminal of the process, and decides nothing.
#[test]
fn nothing_is_a_setting_of_the_process_or_the_thread() {
    let own = [
        "store/signals",
        "store/login",
        "store/platform/asked_programs",
        "store/journal/mod",
        "store/activity",
        "ui/progress",
    ];
    for (name, text) in sources("src") {
        let allowed = own.iter().any(|own| name == format!("src/{own}.rs"));
        let state = |line: &&str| {
            let words = line.trim_start().trim_start_matches("pub ");
            words.starts_with("static ") || line.contains("thread_local!")
        };
        let code = code(&text);
        let found = code.lines().find(state).filter(|_| !allowed);
        assert!(found.is_none(), "{name} keeps state: {found:?}");
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let index = std::fs::read_to_string(root().join("tests/main.rs")).unwrap();
    for entry in std::fs::read_dir(root().join("tests")).unwrap().flatten() {
        let path = entry.path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = path.is_dir() && path.join("mod.rs").exists()
            || path.extension().is_some_and(|e| e == "rs");
        assert!(
            !module || stem == "main" || index.contains(&format!("mod {stem};")),
            "tests/{stem} is in no crate"
        );
    }
}

#[test]
fn the_readme_stays_short_and_names_both_commands() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() < 200);
    assert!(
        readme.contains("cargo install --locked --path .")
            && readme.contains("cargo test --locked")
    );
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(ci.contains("\ncargo test --locked\n"));
}

#[test]
fn no_test_file_is_long() {
    for (name, text) in sources("tests") {
        assert!(
            text.lines().count() <= 500,
            "{name} has more than 500 lines"
        );
    }
}
