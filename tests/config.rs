//! The policy's layers, and what `git lane config` says about them.

use crate::support::{Sandbox, assert_screen, write};

const USER: &str = "home/.config/git-lane/lane.toml";

#[test]
fn a_later_layer_wins_and_every_value_names_its_file() {
    let sandbox = Sandbox::new();
    let user = sandbox.root().join(USER);
    let clone = sandbox.repo.join(".git/lane/lane.toml");
    write(
        &user,
        "start.owner = \"ann\"\n[trash]\ndays = 3\nsize = \"1 GiB\"\n",
    );
    sandbox.write(
        "lane.toml",
        "[trash]\ndays = 5\n[finish]\nstrategy = \"squash\"\ntrailers = [\"lane\", \"task\"]\n",
    );
    write(&clone, "[finish]\nstrategy = \"ff\"\n");
    let linked = sandbox.root().join("linked");
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "--detach",
        linked.to_str().unwrap(),
    ]);

    let settings = sandbox.lane_in(&linked, ["config", "--json"]).json();
    assert_eq!(settings["version"], 2);
    let setting = |key: &str| {
        let all = settings["settings"].as_array().unwrap();
        all.iter()
            .find(|setting| setting["key"] == key)
            .unwrap()
            .clone()
    };
    let team = sandbox.repo.join("lane.toml");
    for (key, value, origin, file) in [
        ("start.owner", serde_json::json!("ann"), "user", Some(&user)),
        ("trash.size", "1 GiB".into(), "user", Some(&user)),
        ("trash.days", 5.into(), "team", Some(&team)),
        (
            "finish.trailers",
            serde_json::json!(["lane", "task"]),
            "team",
            Some(&team),
        ),
        ("finish.strategy", "ff".into(), "clone", Some(&clone)),
        ("start.branch", "{name}".into(), "default", None),
        ("start.base", serde_json::Value::Null, "default", None),
    ] {
        let found = setting(key);
        assert_eq!(
            (&found["value"], &found["origin"]),
            (&value, &origin.into()),
            "{key}"
        );
        assert_eq!(
            found["file"].as_str(),
            file.map(|file| file.to_str().unwrap()),
            "{key}"
        );
    }

    assert_eq!(sandbox.lane(["config", "finish.strategy"]).ok(), "ff\n");
    assert_eq!(
        sandbox.lane(["config", "finish.trailers"]).ok(),
        "lane\ntask\n"
    );
    assert_eq!(sandbox.lane(["config", "start.base"]).ok(), "");
    assert_eq!(
        sandbox.lane(["config", "trash.days", "--json"]).json()["value"],
        5
    );
}

#[test]
fn an_empty_text_unsets_what_an_earlier_layer_said() {
    let sandbox = Sandbox::new();
    sandbox.write("lane.toml", "start.base = \"develop\"\n");
    assert_eq!(sandbox.lane(["config", "start.base"]).ok(), "develop\n");
    write(
        &sandbox.repo.join(".git/lane/lane.toml"),
        "start.base = \"\"\n",
    );
    assert_eq!(sandbox.lane(["config", "start.base"]).ok(), "");
}

#[test]
fn a_mistake_names_file_key_and_remedy() {
    let sandbox = Sandbox::new();
    let mut said = String::new();
    for text in [
        "[start]\nbrnch = \"x\"\n",
        "strategy = \"ff\"\n",
        "[finsih]\n",
        "[start]\nfetch = 1\n",
        "[finish]\nstrategy = \"squahs\"\n",
        "[start]\nbranch = \"{nam}\"\n",
        "[start]\n\nbranch = \n",
        "[trash]\ndays = -1\n",
        "[start]\npath = \"/tmp/{name}\"\n",
        "[start]\npath = \"~/{name}\"\n",
        "[start]\npath = \"../../{name}\"\n",
        "[start]\npath = \".git/hooks\"\n",
        "[start]\nbase = \"--upload-pack=x\"\n",
    ] {
        sandbox.write("lane.toml", text);
        let refused = sandbox.lane(["config"]).fails(4);
        said += &format!("{}\n{refused}\n", text.trim_end());
    }
    sandbox.write("lane.toml", "");
    said += &sandbox.lane(["config", "trash.dayz"]).fails(2);
    let root = sandbox.root().display().to_string();
    assert_screen("config-mistakes", &said.replace(&root, "ROOT"));
}

#[test]
fn only_the_tracked_file_has_to_stay_near() {
    let sandbox = Sandbox::new();
    write(
        &sandbox.root().join(USER),
        "start.path = \"~/lanes/{repo}/{name}\"\n",
    );
    let home = sandbox.root().join("home");
    assert_eq!(
        sandbox.lane(["config", "start.path"]).ok(),
        format!("{}/lanes/{{repo}}/{{name}}\n", home.display())
    );
    let mut homeless = sandbox.command("git-lane");
    homeless.arg("config").env_remove("HOME");
    assert!(sandbox.run(&mut homeless).fails(4).contains("needs HOME"));
    std::fs::remove_file(sandbox.root().join(USER)).unwrap();
    let mut homeless = sandbox.command("git-lane");
    homeless
        .args(["config", "trash.days"])
        .env_remove("HOME")
        .env_remove("XDG_CONFIG_HOME");
    assert_eq!(sandbox.run(&mut homeless).ok(), "14\n");
}

#[test]
fn a_tracked_file_that_is_no_ordinary_file_is_refused() {
    let sandbox = Sandbox::new();
    let path = sandbox.repo.join("lane.toml");
    let outside = sandbox.root().join("outside.toml");
    write(&outside, "trash.days = 99\n");
    for target in [
        outside.as_path(),
        std::path::Path::new(".git/config"),
        std::path::Path::new("/dev/zero"),
    ] {
        std::os::unix::fs::symlink(target, &path).unwrap();
        assert!(
            sandbox
                .lane(["config"])
                .fails(4)
                .contains("which is not followed"),
            "{}",
            target.display()
        );
        std::fs::remove_file(&path).unwrap();
    }
    sandbox.write("settings/lane.toml", "trash.days = 70\n");
    std::os::unix::fs::symlink("settings/lane.toml", &path).unwrap();
    assert_eq!(sandbox.lane(["config", "trash.days"]).ok(), "70\n");
    std::fs::remove_file(&path).unwrap();

    assert!(
        std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    assert!(
        sandbox
            .lane(["config"])
            .fails(4)
            .contains("is no plain file")
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(
        sandbox
            .lane(["config"])
            .fails(4)
            .contains("is no plain file")
    );
    std::fs::remove_dir(&path).unwrap();
    sandbox.write("lane.toml", "#".repeat((64 << 10) + 1));
    assert!(
        sandbox
            .lane(["config"])
            .fails(4)
            .contains("is larger than 64 KiB")
    );
    sandbox.write("lane.toml", b"# \xff\n");
    assert!(
        sandbox
            .lane(["config"])
            .fails(4)
            .contains("is not valid UTF-8")
    );
}

#[test]
fn a_bare_repository_reads_the_committed_file() {
    let sandbox = Sandbox::new();
    let bare = sandbox.root().join("bare.git");
    let clone = |from: &str| sandbox.git(["clone", "-q", "--bare", from, bare.to_str().unwrap()]);
    clone(".");
    assert_eq!(
        sandbox.lane_in(&bare, ["config", "trash.days"]).ok(),
        "14\n"
    );
    std::fs::remove_dir_all(&bare).unwrap();
    sandbox.write("lane.toml", "trash.days = 50\n");
    sandbox.commit("policy");
    clone(".");
    assert_eq!(
        sandbox.lane_in(&bare, ["config", "trash.days"]).ok(),
        "50\n"
    );
    let setting = sandbox
        .lane_in(&bare, ["config", "trash.days", "--json"])
        .json();
    assert_eq!(setting["file"], "HEAD:lane.toml");
    std::fs::remove_dir_all(&bare).unwrap();

    std::fs::remove_file(sandbox.repo.join("lane.toml")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", sandbox.repo.join("lane.toml")).unwrap();
    sandbox.commit("link");
    clone(".");
    assert!(
        sandbox
            .lane_in(&bare, ["config"])
            .fails(4)
            .contains("is no plain file")
    );
}

#[test]
fn what_a_file_says_cannot_steer_the_terminal() {
    let sandbox = Sandbox::new();
    let text = "finish.message = \"a\\u001b[2Jb\\nc {name}\"\n";
    sandbox.write("lane.toml", text);
    let said = sandbox.lane(["config", "finish.message"]).fails(4);
    assert!(
        said.contains("control characters") && !said.contains('\u{1b}'),
        "{said}"
    );
    sandbox.write("lane.toml", "");
    write(&sandbox.root().join(USER), text);
    assert_eq!(
        sandbox.lane(["config", "finish.message"]).ok(),
        "a\\u{1b}[2Jb\nc {name}\n"
    );
}

#[test]
fn start_does_what_the_files_say() {
    let sandbox = Sandbox::new();
    sandbox.git(["branch", "develop"]);
    sandbox.write(
        "lane.toml",
        "[start]\nbranch = \"{owner}/{name}\"\npath = \".worktrees/{name}\"\nbase = \"develop\"\n",
    );
    write(
        &sandbox.repo.join(".git/lane/lane.toml"),
        "start.owner = \"ann\"\n",
    );
    let started = sandbox.lane(["start", "login", "--json"]).json();
    let lane = &started["lanes"][0];
    let told = (
        lane["branch"].as_str(),
        lane["owner"].as_str(),
        lane["path"].as_str(),
    );
    let path = sandbox.repo.join(".worktrees/login");
    assert_eq!(told, (Some("ann/login"), Some("ann"), path.to_str()));
    assert_eq!(
        sandbox.git_in(&path, ["branch", "--show-current"]),
        "ann/login"
    );
    assert_eq!(
        sandbox.git(["config", "lane.login.base"]),
        "refs/heads/develop"
    );

    sandbox.write("lane.toml", "[start]\nbranhc = \"x\"\n");
    let before = sandbox.fingerprint();
    assert!(
        sandbox
            .lane(["start", "other"])
            .fails(4)
            .contains("did you mean 'start.branch'?")
    );
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn nothing_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write("lane.toml", "[start]\nnonsense = 1\n");
    let before = sandbox.fingerprint();
    assert!(
        sandbox
            .lane(["config"])
            .fails(4)
            .contains("unknown key 'start.nonsense'")
    );
    assert_eq!(sandbox.fingerprint(), before);
    assert!(!sandbox.repo.join(".git/lane").exists());
}
