//! Thirty lanes as a day with many agents has them: long names, owners with sessions, tasks as
//! sentences, and one of each situation.

use super::time::{LONG_AGO, date};
use super::{Sandbox, write};

/// What the lanes are about.
const TOPICS: [(&str, &str); 5] = [
    (
        "fix-login-form-validation",
        "Refuse empty passwords in the login form and say why",
    ),
    ("invoice-rounding-errors", "Round invoices to the cent"),
    ("search-results-paging", "Page through the search results"),
    (
        "upgrade-to-postgres-17",
        "Move to Postgres 17, run the migrations twice and compare what they leave",
    ),
    ("flaky-checkout-test", "SHOP-1187"),
];

/// Those in which something is special; the rest was never begun.
pub struct Thirty {
    /// The repository.
    pub sandbox: Sandbox,
    /// The names of the lanes.
    pub names: Vec<String>,
}

impl Thirty {
    /// Starts them, and has them in all situations. Everything is as old.
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        let name = |number: usize| {
            let (topic, _) = TOPICS[number % TOPICS.len()];
            match number {
                0..=4 => format!("agent-{}/{topic}", 7 - number),
                5 => "login".to_owned(),
                _ => format!("agent-{}/{topic}-{number}", number % 9 + 1),
            }
        };
        let names: Vec<String> = (0..30).map(name).collect();
        let start = ["start"].into_iter().map(str::to_owned);
        sandbox.lane(start.chain(names.iter().cloned())).ok();
        let thirty = Thirty { sandbox, names };
        thirty.say();
        thirty.work();
        thirty.sandbox.long_ago();
        thirty
    }

    /// Owners, tasks, statuses, claims.
    fn say(&self) {
        for (number, name) in self.names.iter().enumerate() {
            let set = |key: &str, value: &str| {
                let key = format!("lane.{name}.{key}");
                self.sandbox.git(["config", &key, value]);
            };
            let owner = format!("claude:7f3a9c{number:02}");
            set("owner", &owner);
            set("task", TOPICS[number % TOPICS.len()].1);
            if let 0..=3 = number {
                set("status", ["working", "blocked", "ready", "done"][number]);
                set("statusSince", LONG_AGO);
            }
            if let 1 | 5 = number {
                set("claim", if number == 1 { &owner } else { "bob" });
                set("claimKey", "k");
                set("claimSince", LONG_AGO);
            }
        }
    }

    /// Changes, commits, landings, a rebase that stopped, strays and worktrees that are no lanes.
    fn work(&self) {
        let Thirty { sandbox, names } = self;
        let path = |number: usize| sandbox.path_of(&names[number]);
        let commit = |number: usize, file: &str, content: &str| {
            write(&path(number).join(file), content);
            sandbox.git_in(&path(number), ["add", "-A"]);
            sandbox.git_in(&path(number), ["commit", "-q", "-m", file]);
        };
        sandbox.git(["init", "-q", "--bare", "../origin.git"]);
        let origin = sandbox.root().join("origin.git");
        let origin = origin.to_str().unwrap();
        sandbox.git(["remote", "add", "origin", origin]);
        commit(0, "login.txt", "x");
        commit(0, "more.txt", "x");
        for file in ["README", "new", "newer"] {
            write(&path(0).join(file), "changed");
        }
        commit(1, "README", "rounded\n");
        commit(2, "paging.txt", "x");
        sandbox.git_in(&path(2), ["push", "-q", "origin", "HEAD"]);
        commit(2, "paging.txt", "y");
        commit(3, "postgres.txt", "x");
        sandbox.git(["merge", "-q", "--no-ff", "--no-edit", &names[3]]);
        commit(4, "one.txt", "x");
        commit(4, "two.txt", "x");
        sandbox.git(["merge", "-q", "--squash", &names[4]]);
        sandbox.git(["commit", "-q", "-m", "Squashed"]);
        commit(5, "login.txt", "x");
        sandbox.git_in(&path(5), ["push", "-q", "-u", "origin", "HEAD"]);
        sandbox.write("README", "another shop\n");
        sandbox.commit("Another shop");
        sandbox.git_in(&path(6), ["switch", "-q", "-c", "elsewhere"]);
        commit(7, "README", "yet another shop\n");
        let mut rebase = sandbox.command("git");
        rebase.current_dir(path(7)).args(["rebase", "-q", "main"]);
        let run = sandbox.run(&mut rebase);
        assert_ne!(run.code, 0, "{run}");
        sandbox.add_worktree("by-hand", &sandbox.root().join("by-hand"));
        let run = sandbox.lane(["check", &names[1]]);
        assert_eq!(run.code, 3, "{run}");
    }
}

impl Sandbox {
    /// Where the lane is, whatever its name.
    pub fn path_of(&self, lane: &str) -> std::path::PathBuf {
        self.lane(["path", lane]).ok().trim_end().into()
    }

    /// Has everything that is there be as old: what was last done in each lane, and when it began.
    pub fn long_ago(&self) {
        let git_dir = self.repo.join(".git");
        let linked = std::fs::read_dir(git_dir.join("worktrees"));
        let linked = linked.into_iter().flatten().flatten();
        for place in linked.map(|entry| entry.path()).chain([git_dir.clone()]) {
            for file in ["HEAD", "logs/HEAD"] {
                let file = place.join(file);
                if file.exists() {
                    date(&file);
                }
            }
        }
        let created = [
            "config",
            "--name-only",
            "--get-regexp",
            r"^lane\..*\.created$",
        ];
        for key in self.git(created).lines() {
            self.git(["config", key, LONG_AGO]);
        }
    }
}
