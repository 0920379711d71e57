//! What a new shell needs to find git-lane, its manual and its completion, and what of it is
//! missing: facts in, problems out; pure.
//!
//! `install/machine` looks, `commands/doctor` tells.

use std::path::{Path, PathBuf};

use super::shell_word::quote;

/// A shell whose start-up files are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
}

impl Shell {
    /// Every one.
    pub const ALL: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

    /// What the program is called.
    pub fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        }
    }

    /// Its start-up file, below the home directory, to which a user adds lines.
    pub fn start_up_file(self) -> &'static str {
        match self {
            Shell::Bash => ".bashrc",
            Shell::Zsh => ".zshrc",
            Shell::Fish => ".config/fish/config.fish",
        }
    }

    /// The line that has completion and the function `lane`.
    fn init(self) -> String {
        match self {
            Shell::Fish => "git lane shell-init fish | source".to_owned(),
            _ => format!("eval \"$(git lane shell-init {})\"", self.name()),
        }
    }

    /// The line that puts a directory on PATH.
    fn path(self, directory: &Path) -> String {
        let directory = quote(directory.display());
        match self {
            Shell::Fish => format!("fish_add_path {directory}"),
            _ => format!("export PATH={directory}:$PATH"),
        }
    }

    /// The command that adds a line to the start-up file, whose directory may be missing.
    fn add(self, line: &str) -> String {
        let file = self.start_up_file();
        let make = match file.rsplit_once('/') {
            Some((directory, _)) => format!("mkdir -p ~/{directory} && "),
            None => String::new(),
        };
        format!("{make}echo {} >> ~/{file}", quote(line))
    }
}

/// What is found on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The program that asks.
    pub program: PathBuf,
    /// The first git-lane on PATH.
    pub on_path: Option<PathBuf>,
    /// Whether git runs this version as `git lane`.
    pub git_runs_it: bool,
    /// How the manual is.
    pub manual: Manual,
    /// The user's shell, where it is one of those that are known.
    pub shell: Option<Shell>,
    /// Whether a new shell has the program's directory on PATH: it is one of the system's, or a
    /// start-up file names it.
    pub stays_on_path: bool,
    /// Whether a start-up file, or a file where the shell looks, has the completion.
    pub completes: bool,
}

/// How the manual is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manual {
    /// man finds the pages of this program.
    Found,
    /// man finds pages with another text.
    Another,
    /// man finds none.
    Missing,
    /// There is no man here.
    NoMan,
}

/// What is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable word for scripts.
    pub code: &'static str,
    /// What it is, in a sentence.
    pub text: String,
    /// What to do, to be pasted.
    pub hint: Option<String>,
}

/// Everything that is missing, in the order in which it is put right.
pub fn problems(facts: &Facts) -> Vec<Problem> {
    let found = [
        program(facts),
        new_shell(facts),
        manual(facts),
        completion(facts),
    ];
    found.into_iter().flatten().collect()
}

fn program(facts: &Facts) -> Option<Problem> {
    let program = &facts.program;
    let directory = program.parent().unwrap_or(program);
    let shown = program.display();
    let path = facts.shell.unwrap_or(Shell::Bash).path(directory);
    let (code, text, hint) = match &facts.on_path {
        None => (
            "not-on-path",
            format!("'{}' is not on PATH", directory.display()),
            Some(path),
        ),
        Some(first) if first != program => (
            "another-on-path",
            format!("'{}' comes before '{shown}' on PATH", first.display()),
            Some(path),
        ),
        Some(_) if !facts.git_runs_it => (
            "git-runs-another",
            format!("git does not run '{shown}' as 'git lane'"),
            Some("git config --get-all alias.lane; git lane --version".to_owned()),
        ),
        Some(_) => return None,
    };
    Some(Problem { code, text, hint })
}

fn new_shell(facts: &Facts) -> Option<Problem> {
    let shell = facts.shell.filter(|_| !facts.stays_on_path)?;
    let directory = facts.program.parent()?;
    Some(Problem {
        code: "not-in-a-new-shell",
        text: format!(
            "no start-up file of {} puts '{}' on PATH: a new shell may not find git-lane",
            shell.name(),
            directory.display()
        ),
        hint: Some(shell.add(&shell.path(directory))),
    })
}

fn manual(facts: &Facts) -> Option<Problem> {
    let (code, text) = match facts.manual {
        Manual::Found | Manual::NoMan => return None,
        Manual::Another => (
            "old-manual",
            "the manual that man finds is of another git-lane",
        ),
        Manual::Missing => ("no-manual", "man does not find the manual"),
    };
    Some(Problem {
        code,
        text: text.to_owned(),
        hint: Some("git lane man --install".to_owned()),
    })
}

fn completion(facts: &Facts) -> Option<Problem> {
    let shell = facts.shell.filter(|_| !facts.completes)?;
    Some(Problem {
        code: "no-completion",
        text: format!(
            "no start-up file of {} has the completion of git-lane and the function 'lane'",
            shell.name()
        ),
        hint: Some(shell.add(&shell.init())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Facts {
        Facts {
            program: "/home/ann/.cargo/bin/git-lane".into(),
            on_path: Some("/home/ann/.cargo/bin/git-lane".into()),
            git_runs_it: true,
            manual: Manual::Found,
            shell: Some(Shell::Bash),
            stays_on_path: true,
            completes: true,
        }
    }

    #[test]
    fn each_problem_has_its_code_and_what_to_do() {
        let bin = "/home/ann/.cargo/bin";
        let table: [(Facts, &str, &str); 8] = [
            (
                Facts {
                    on_path: None,
                    ..good()
                },
                "not-on-path",
                &format!("export PATH={bin}:$PATH"),
            ),
            (
                Facts {
                    on_path: Some("/usr/bin/git-lane".into()),
                    ..good()
                },
                "another-on-path",
                &format!("export PATH={bin}:$PATH"),
            ),
            (
                Facts {
                    git_runs_it: false,
                    ..good()
                },
                "git-runs-another",
                "git config --get-all alias.lane; git lane --version",
            ),
            (
                Facts {
                    stays_on_path: false,
                    ..good()
                },
                "not-in-a-new-shell",
                &format!("echo 'export PATH={bin}:$PATH' >> ~/.bashrc"),
            ),
            (
                Facts {
                    manual: Manual::Missing,
                    ..good()
                },
                "no-manual",
                "git lane man --install",
            ),
            (
                Facts {
                    manual: Manual::Another,
                    ..good()
                },
                "old-manual",
                "git lane man --install",
            ),
            (
                Facts {
                    completes: false,
                    shell: Some(Shell::Zsh),
                    ..good()
                },
                "no-completion",
                "echo 'eval \"$(git lane shell-init zsh)\"' >> ~/.zshrc",
            ),
            (
                Facts {
                    completes: false,
                    shell: Some(Shell::Fish),
                    ..good()
                },
                "no-completion",
                "mkdir -p ~/.config/fish && echo 'git lane shell-init fish | source' \
                 >> ~/.config/fish/config.fish",
            ),
        ];
        assert_eq!(problems(&good()), []);
        for (facts, code, hint) in table {
            let found = problems(&facts);
            let found: Vec<_> = found
                .iter()
                .map(|problem| (problem.code, problem.hint.as_deref()))
                .collect();
            assert_eq!(found, [(code, Some(hint))], "{facts:?}");
        }
    }

    #[test]
    fn what_cannot_be_known_is_no_problem() {
        let facts = Facts {
            manual: Manual::NoMan,
            shell: None,
            stays_on_path: false,
            completes: false,
            ..good()
        };
        assert_eq!(problems(&facts), []);
    }
}
