//! The `[lane "<name>"]` sections of `.git/config`: what they look like, and reading them, which
//! never needs a lock.
//!
//! [`Edit`] is the one way in which that file is written.
//!
//! Everything from here up reads records by it.

mod edit;
mod memo;
mod said;

pub use edit::Edit;
pub use memo::Memo;

use std::collections::HashMap;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use gix::config::File;

use crate::domain::lane::{Lane, LaneId, ObjectId, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::name_rule::NameRule;
use crate::domain::trash_entry::Setting;
use crate::error::{Code, Error, IoContext, Result};

/// What the configuration says about lanes.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The lanes, in the order of the file.
    pub lanes: Vec<Lane>,
    /// Sections that do not describe a lane; reported, never used.
    pub damaged: Vec<Damaged>,
}

/// A `[lane "…"]` section that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// The subsection's name as the file has it.
    pub section: BString,
    /// What is wrong with it.
    pub problem: String,
    /// The branch and the worktree it names all the same.
    pub names: [Option<BString>; 2],
}

impl Records {
    /// The lane called `name`.
    pub fn find(&self, name: &LaneName) -> Option<&Lane> {
        self.lanes.iter().find(|lane| &lane.name == name)
    }

    /// The lane that the user means by `text`.
    pub fn meant(&self, rule: NameRule, text: &str) -> Option<&Lane> {
        let names = self.lanes.iter().map(|lane| lane.name.as_str());
        let meant = rule.meant(text, names)?;
        self.lanes.iter().find(|lane| lane.name.as_str() == meant)
    }

    /// Another lane whose name is one with this one.
    pub fn alike(&self, rule: NameRule, name: &LaneName) -> Option<&Lane> {
        let is_alike =
            |other: &LaneName| other != name && rule.is_same(other.as_str(), name.as_str());
        self.lanes.iter().find(|lane| is_alike(&lane.name))
    }

    /// Reads every record of a parsed configuration file.
    pub fn of(config: &File) -> Self {
        let mut records = Records::default();
        for (name, values) in sections(config) {
            match lane(name.as_bstr(), &values) {
                Ok(lane) => records.lanes.push(lane),
                Err(problem) => {
                    let names = ["branch", "worktree"].map(|key| last(&values, key).cloned());
                    records.damaged.push(Damaged {
                        section: name,
                        problem,
                        names,
                    });
                }
            }
        }
        records
    }

    /// Reads the records from `common_dir`'s configuration file and nothing else.
    #[cfg(test)]
    pub fn read(common_dir: &Path) -> Result<Self> {
        Ok(Self::of(&load(&common_dir.join("config"))?))
    }
}

/// The configuration file at `path`; a missing one is empty.
pub(crate) fn load(path: &Path) -> Result<File> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).context("read", path),
    };
    parse(&bytes).map_err(|error| {
        Error::environment(format!("cannot understand '{}': {error}", path.display()))
    })
}

/// A configuration file's text; includes are not followed.
#[doc(hidden)]
pub fn parse(bytes: &[u8]) -> Result<File, String> {
    let metadata = gix::config::file::Metadata::from(gix::config::Source::Local);
    File::from_bytes_no_includes(bytes, metadata, Default::default())
        .map_err(|error| error.to_string())
}

/// The values of one record by their keys in lower case, in the order of the file.
type Values = HashMap<String, Vec<BString>>;

/// The value of a key in lower case; of those given twice the last, as for git.
fn last<'a>(values: &'a Values, key: &str) -> Option<&'a BString> {
    values.get(key)?.last()
}

/// What the file says of each lane, in the order in which it first names them. To git a section
/// that is split in two is one.
fn sections(config: &File) -> Vec<(BString, Values)> {
    let mut found: Vec<(BString, Values)> = Vec::new();
    let mut known: HashMap<BString, usize> = HashMap::new();
    for section in config.sections_by_name("lane").into_iter().flatten() {
        let Some(name) = section.header().subsection_name() else {
            continue;
        };
        let at = *known.entry(name.to_owned()).or_insert_with(|| {
            found.push((name.to_owned(), Values::new()));
            found.len() - 1
        });
        let values = section
            .body()
            .into_iter()
            .map(|(key, value)| (key.to_ascii_lowercase(), value));
        for (key, value) in values {
            found[at].1.entry(key).or_default().push(value);
        }
    }
    found
}

fn lane(section: &BStr, values: &Values) -> Result<Lane, String> {
    let value = |key: &str| last(values, &key.to_ascii_lowercase()).cloned();
    let text = |key: &str| {
        value(key)
            .map(|bytes| {
                bytes
                    .to_str()
                    .map(str::to_owned)
                    .map_err(|_| format!("'{key}' is not UTF-8"))
            })
            .transpose()
    };
    let required = |key: &str| {
        value(key)
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| format!("'{key}' is missing"))
    };

    let name = section
        .to_str()
        .map_err(|_| "its name is not UTF-8".to_owned())?;
    let name =
        LaneName::parse(name).map_err(|problem| format!("its name {}", problem.because()))?;
    let worktree = PathBuf::from(std::ffi::OsString::from_vec(required("worktree")?.into()));
    if !worktree.is_absolute() {
        return Err("'worktree' is not an absolute path".into());
    }
    let branch = match value("branch").filter(|branch| !branch.is_empty()) {
        Some(branch) => Some(
            BranchName::parse(branch.as_bstr())
                .map_err(|problem| format!("'branch' {}", problem.because()))?,
        ),
        None => None,
    };
    let base = match value("base").filter(|base| !base.is_empty()) {
        Some(base) => Some(RefName::parse(base.as_bstr()).ok_or("'base' is not a full ref name")?),
        None => None,
    };
    let created = text("created")?.ok_or("'created' is missing")?;
    Ok(Lane {
        name,
        id: text("id")?
            .and_then(|id| LaneId::parse(&id))
            .ok_or("'id' is missing or malformed")?,
        branch,
        worktree,
        base,
        fork_point: ObjectId::from_hex(&required("forkPoint")?)
            .map_err(|_| "'forkPoint' is not an object id")?,
        owner: text("owner")?.filter(|owner| !owner.is_empty()),
        task: text("task")?.filter(|task| !task.is_empty()),
        created: created
            .parse::<jiff::Timestamp>()
            .map_err(|_| "'created' is not a time")?
            .as_second(),
        mark: said::mark(&text),
        claim: said::claim(&text),
        parameters: said::parameters(values.get("set").map(Vec::as_slice).unwrap_or_default()),
        read_only: said::is_true(&text, "readOnly"),
        adopted: said::is_true(&text, "adopted"),
    })
}

/// A configuration's text. What cannot be read again, or reads differently because the file ended
/// in the middle of a value, is never written.
#[doc(hidden)]
pub fn text(config: &File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let written = config
        .write_to(&mut bytes)
        .map_err(|error| error.to_string());
    let read = written.and_then(|()| parse(&bytes)).map_err(|error| {
        Error::environment(format!("cannot write the configuration: {error}")).hint(
            "it may have been damaged before: see what git says with: git config --list --local",
        )
    })?;
    if !config
        .sections()
        .map(content)
        .eq(read.sections().map(content))
    {
        return Err(Error::environment(
            "cannot write the configuration: it would not say what it should",
        )
        .with_code(Code::DamagedConfig)
        .hint(
            "the file ends in the middle of a value; mend its last line with: git config --local \
             --edit",
        ));
    }
    Ok(bytes)
}

/// Section, subsection, and every key with its value.
#[doc(hidden)]
pub type Content = (BString, Option<BString>, Vec<(String, BString)>);

#[doc(hidden)]
pub fn content(section: gix::config::file::SectionRef<'_>) -> Content {
    let header = section.header();
    let body = section.body().into_iter();
    (
        header.name().to_owned(),
        header.subsection_name().map(ToOwned::to_owned),
        body.collect(),
    )
}

/// Writes a lane's record into a configuration, replacing one of the same name.
#[doc(hidden)]
pub fn put(config: &mut File, lane: &Lane) -> Result<()> {
    remove(config, &lane.name);
    let malformed =
        |error| Error::environment(format!("cannot record lane '{}': {error}", lane.name));
    let mut section = config
        .new_section("lane", BString::from(lane.name.as_str()))
        .map_err(malformed)?;
    let created = jiff::Timestamp::from_second(lane.created)
        .unwrap_or_default()
        .to_string();
    let mut push = |key: &str, value: Option<&[u8]>| -> Result<()> {
        if let Some(value) = value {
            section.push(key, value.as_bstr()).map_err(malformed)?;
        }
        Ok(())
    };
    push("id", Some(lane.id.as_str().as_bytes()))?;
    push(
        "branch",
        lane.branch
            .as_ref()
            .map(|branch| branch.as_bstr().as_bytes()),
    )?;
    push("worktree", Some(lane.worktree.as_os_str().as_bytes()))?;
    push(
        "base",
        lane.base.as_ref().map(|base| base.as_bstr().as_bytes()),
    )?;
    push("forkPoint", Some(lane.fork_point.to_string().as_bytes()))?;
    push("owner", lane.owner.as_deref().map(str::as_bytes))?;
    push("task", lane.task.as_deref().map(str::as_bytes))?;
    push("created", Some(created.as_bytes()))?;
    for (key, value) in said::of(lane) {
        push(key, value.as_deref().map(str::as_bytes))?;
    }
    Ok(())
}

fn remove(config: &mut File, name: &LaneName) {
    while config
        .remove_section("lane", BStr::new(name.as_str()))
        .is_some()
    {}
}

/// What the configuration file of `common_dir` says about a branch, in the order of the file.
pub fn branch_settings(common_dir: &Path, branch: &BranchName) -> Result<Vec<Setting>> {
    let config = load(&common_dir.join("config"))?;
    let sections = config.sections_by_name("branch").into_iter().flatten();
    let ours =
        sections.filter(|section| section.header().subsection_name() == Some(branch.as_bstr()));
    Ok(ours
        .flat_map(|section| section.body())
        .map(|(key, value)| Setting { key, value })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::claim::{Claim, ClaimEnd};
    use crate::domain::lane_status::{LaneStatus, Mark};
    use crate::domain::parameter::Parameter;
    use crate::store::lane_files::LaneDir;
    use crate::store::permissions::Shared;

    fn sample(name: &str, task: &str) -> Lane {
        Lane {
            name: LaneName::parse(name).unwrap(),
            id: LaneId::parse("0123456789abcdef").unwrap(),
            branch: Some(BranchName::parse(name.into()).unwrap()),
            worktree: "/somewhere/with space/x".into(),
            base: RefName::parse("refs/heads/main".into()),
            fork_point: ObjectId::null(gix::hash::Kind::Sha1),
            owner: Some("claude:7".into()),
            task: Some(task.into()),
            created: 1_700_000_000,
            mark: Some(Mark {
                status: LaneStatus::Blocked,
                since: 1_700_000_001,
                message: Some(task.into()),
            }),
            claim: Some(Claim {
                holder: task.into(),
                key: Some("0123abcd".into()),
                since: 1_700_000_002,
                end: ClaimEnd::Time(1_700_000_003),
                message: Some(task.into()),
            }),
            parameters: ["a=1", "b="]
                .map(|text| Parameter::parse(text).unwrap())
                .to_vec(),
            read_only: true,
            adopted: true,
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was_written_and_git_reads_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config");
        std::fs::write(&config, "# kept\n[core]\n\tbare = false ; kept too\n").unwrap();
        let long = "x".repeat(10_000);
        let texts = [
            "two\nlines",
            "\"quoted\" \\ ] # ;",
            " spaces ",
            "trailing\r",
            "tab\tand é",
            long.as_str(),
        ];
        for (index, text) in texts.iter().enumerate() {
            let lane = sample(&format!("a/b.{index}-c#"), text);
            let mut edit = Edit::begin(&LaneDir::of(directory.path(), Shared::Umask)).unwrap();
            edit.put(&lane).unwrap();
            edit.put(&lane).unwrap();
            edit.commit().unwrap();
            let records = Records::read(directory.path()).unwrap();
            assert_eq!(records.find(&lane.name), Some(&lane));
            let key = format!("lane.{}.task", lane.name);
            let output = std::process::Command::new(
                std::env::var_os("GIT_LANE_TEST_GIT").unwrap_or("git".into()),
            )
            .args(["config", "-z", "--file"])
            .arg(&config)
            .args(["--get-all", &key])
            .output()
            .unwrap();
            assert_eq!(
                output.stdout.as_bstr(),
                format!("{text}\0").as_bytes().as_bstr()
            );
        }
        let text = std::fs::read_to_string(&config).unwrap();
        assert!(
            text.starts_with("# kept\n[core]\n\tbare = false ; kept too\n"),
            "{text}"
        );
    }

    #[test]
    fn a_file_that_ends_in_the_middle_of_a_value_is_left_alone() {
        for end in ["\tx = a\\\n", "\tx = \"a\\\n", "\tx = a\\"] {
            let directory = tempfile::tempdir().unwrap();
            let config = directory.path().join("config");
            let text = format!("[core]\n\tbare = false\n[lane \"y\"]\n{end}");
            std::fs::write(&config, &text).unwrap();
            let Ok(mut edit) = Edit::begin(&LaneDir::of(directory.path(), Shared::Umask)) else {
                continue;
            };
            edit.put(&sample("x", "task")).unwrap();
            if edit.commit().is_err() {
                assert_eq!(std::fs::read_to_string(&config).unwrap(), text);
            } else {
                assert!(
                    Records::read(directory.path())
                        .unwrap()
                        .find(&LaneName::parse("x").unwrap())
                        .is_some()
                );
            }
            assert!(!directory.path().join("config.lock").exists());
        }
    }

    #[test]
    fn a_damaged_section_is_reported_and_never_used() {
        let config = b"[lane]\n\tguard = warn\n[lane \"x\"]\n\tworktree = ../x\n[lane \
                       \"-y\"]\n\tworktree = /y\n";
        let file = File::from_bytes_no_includes(
            config,
            gix::config::file::Metadata::from(gix::config::Source::Local),
            Default::default(),
        );
        let records = Records::of(&file.unwrap());
        assert!(records.lanes.is_empty());
        let problems: Vec<_> = records
            .damaged
            .iter()
            .map(|damaged| damaged.problem.as_str())
            .collect();
        assert_eq!(
            problems,
            [
                "'worktree' is not an absolute path",
                "its name starts with '-'"
            ]
        );
    }
}
