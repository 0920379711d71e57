//! The `[lane "<name>"]` sections of `.git/config`: read, written, removed; nobody else writes that file.
//!
//! Reading never needs a lock. Writing takes git's own `config.lock`, reads the file again, and replaces it by rename,
//! so neither we nor any `git config` loses a line.

use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use gix::config::File;

use super::lockfile::LockFile;
use crate::domain::lane::{Lane, LaneId, ObjectId, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::trash::Setting;
use crate::error::{Error, IoContext, Result};

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

    /// Reads every record of a parsed configuration file.
    pub fn of(config: &File) -> Self {
        let mut records = Records::default();
        for section in config.sections_by_name("lane").into_iter().flatten() {
            let Some(name) = section.header().subsection_name() else { continue };
            // A section that was split in two is one record to git.
            if records.lanes.iter().any(|lane| lane.name.as_str().as_bytes() == name.as_bytes()) {
                continue;
            }
            match lane(config, name) {
                Ok(lane) => records.lanes.push(lane),
                Err(problem) => {
                    let names = ["branch", "worktree"].map(|key| config.raw_value_by("lane", name, key).ok());
                    records.damaged.push(Damaged { section: name.to_owned(), problem, names });
                }
            }
        }
        records
    }

    /// Reads the records from `common_dir`'s configuration file and nothing else.
    pub fn read(common_dir: &Path) -> Result<Self> {
        Ok(Self::of(&load(&common_dir.join("config"))?))
    }
}

/// What the `[lane]` section itself says for `key` in `common_dir`'s configuration file.
pub fn setting(common_dir: &Path, key: &str) -> Result<Option<BString>> {
    settings(common_dir, [key]).map(|[value]| value)
}

/// The same for several keys, with one look at the file.
pub fn settings<const N: usize>(common_dir: &Path, keys: [&str; N]) -> Result<[Option<BString>; N]> {
    let config = load(&common_dir.join("config"))?;
    Ok(keys.map(|key| config.raw_value_by("lane", None::<&BStr>, key).ok()))
}

/// The configuration file at `path`; a missing one is empty.
pub(crate) fn load(path: &Path) -> Result<File> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).context("read", path),
    };
    parse(&bytes).map_err(|error| Error::environment(format!("cannot understand '{}': {error}", path.display())))
}

/// A configuration file's text; includes are not followed.
pub(crate) fn parse(bytes: &[u8]) -> Result<File, String> {
    let metadata = gix::config::file::Metadata::from(gix::config::Source::Local);
    File::from_bytes_no_includes(bytes, metadata, Default::default()).map_err(|error| error.to_string())
}

fn lane(config: &File, section: &BStr) -> Result<Lane, String> {
    let value = |key: &str| config.raw_value_by("lane", section, key).ok();
    let text = |key: &str| {
        value(key)
            .map(|bytes| bytes.to_str().map(str::to_owned).map_err(|_| format!("'{key}' is not UTF-8")))
            .transpose()
    };
    let required =
        |key: &str| value(key).filter(|bytes| !bytes.is_empty()).ok_or_else(|| format!("'{key}' is missing"));

    let name = section.to_str().map_err(|_| "its name is not UTF-8".to_owned())?;
    let name = LaneName::parse(name).map_err(|problem| format!("its name {}", problem.because()))?;
    let worktree = PathBuf::from(std::ffi::OsString::from_vec(required("worktree")?.into()));
    if !worktree.is_absolute() {
        return Err("'worktree' is not an absolute path".into());
    }
    let branch = match value("branch").filter(|branch| !branch.is_empty()) {
        Some(branch) => {
            Some(BranchName::parse(branch.as_bstr()).map_err(|problem| format!("'branch' {}", problem.because()))?)
        }
        None => None,
    };
    let base = match value("base").filter(|base| !base.is_empty()) {
        Some(base) => Some(RefName::parse(base.as_bstr()).ok_or("'base' is not a full ref name")?),
        None => None,
    };
    let created = text("created")?.ok_or("'created' is missing")?;
    Ok(Lane {
        name,
        id: text("id")?.and_then(|id| LaneId::parse(&id)).ok_or("'id' is missing or malformed")?,
        branch,
        worktree,
        base,
        fork_point: ObjectId::from_hex(&required("forkPoint")?).map_err(|_| "'forkPoint' is not an object id")?,
        owner: text("owner")?.filter(|owner| !owner.is_empty()),
        task: text("task")?.filter(|task| !task.is_empty()),
        created: created.parse::<jiff::Timestamp>().map_err(|_| "'created' is not a time")?.as_second(),
    })
}

/// A configuration's text. What cannot be read again, or reads differently because the file ended in the middle of a
/// value, is never written.
pub(crate) fn text(config: &File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let written = config.write_to(&mut bytes).map_err(|error| error.to_string());
    let read = written.and_then(|()| parse(&bytes)).map_err(|error| {
        Error::environment(format!("cannot write the configuration: {error}"))
            .hint("it may have been damaged before: see what git says with: git config --list --local")
    })?;
    if !config.sections().map(content).eq(read.sections().map(content)) {
        return Err(Error::environment("cannot write the configuration: it would not say what it should")
            .code("damaged-config")
            .hint("the file ends in the middle of a value; mend its last line with: git config --local --edit"));
    }
    Ok(bytes)
}

/// Section, subsection, and every key with its value.
pub(crate) type Content = (BString, Option<BString>, Vec<(String, BString)>);

pub(crate) fn content(section: gix::config::file::SectionRef<'_>) -> Content {
    let header = section.header();
    let body = section.body().into_iter();
    (header.name().to_owned(), header.subsection_name().map(ToOwned::to_owned), body.collect())
}

/// Writes a lane's record into a configuration, replacing one of the same name.
pub(crate) fn put(config: &mut File, lane: &Lane) -> Result<()> {
    remove(config, &lane.name);
    let malformed = |error| Error::environment(format!("cannot record lane '{}': {error}", lane.name));
    let mut section = config.new_section("lane", BString::from(lane.name.as_str())).map_err(malformed)?;
    let created = jiff::Timestamp::from_second(lane.created).unwrap_or_default().to_string();
    let mut push = |key: &str, value: Option<&[u8]>| -> Result<()> {
        if let Some(value) = value {
            section.push(key, value.as_bstr()).map_err(malformed)?;
        }
        Ok(())
    };
    push("id", Some(lane.id.as_str().as_bytes()))?;
    push("branch", lane.branch.as_ref().map(|branch| branch.as_bstr().as_bytes()))?;
    push("worktree", Some(lane.worktree.as_os_str().as_bytes()))?;
    push("base", lane.base.as_ref().map(|base| base.as_bstr().as_bytes()))?;
    push("forkPoint", Some(lane.fork_point.to_string().as_bytes()))?;
    push("owner", lane.owner.as_deref().map(str::as_bytes))?;
    push("task", lane.task.as_deref().map(str::as_bytes))?;
    push("created", Some(created.as_bytes()))?;
    Ok(())
}

fn remove(config: &mut File, name: &LaneName) {
    while config.remove_section("lane", BStr::new(name.as_str())).is_some() {}
}

/// An edit of `.git/config` with `config.lock` held: nobody else can write the file until it is committed or dropped.
#[derive(Debug)]
pub struct Edit {
    lock: LockFile,
    config: File,
}

impl Edit {
    /// Takes `config.lock` of the repository at `common_dir`, then reads the file.
    pub fn begin(common_dir: &Path) -> Result<Self> {
        let path = common_dir.join("config");
        let lock = LockFile::acquire(&path, &locks(common_dir))?;
        let config = load(&path)?;
        Ok(Edit { lock, config })
    }

    /// The records as they are now, with this edit's changes.
    pub fn records(&self) -> Records {
        Records::of(&self.config)
    }

    /// Writes a lane's record, replacing one of the same name.
    pub fn put(&mut self, lane: &Lane) -> Result<()> {
        put(&mut self.config, lane)
    }

    /// Removes a lane's record, however many sections it is spread over.
    pub fn remove(&mut self, name: &LaneName) {
        remove(&mut self.config, name);
    }

    /// Removes git's own `[branch "<name>"]` settings of a branch that is going away.
    pub fn remove_branch_section(&mut self, branch: &BranchName) {
        while self.config.remove_section("branch", branch.as_bstr()).is_some() {}
    }

    /// Gives one worktree settings of its own: `[includeIf "gitdir:./worktrees/<id>"]` with `file` of its admin directory.
    /// git reads the include in that worktree alone, and ignores it once the file is gone.
    pub fn include_for_worktree(&mut self, admin_name: &Path, file: &str) -> Result<()> {
        let mut condition = BString::from("gitdir:./worktrees/");
        condition.extend_from_slice(admin_name.as_os_str().as_bytes());
        let mut path = b"worktrees/".to_vec();
        path.extend_from_slice(admin_name.as_os_str().as_bytes());
        path.extend_from_slice(b"/");
        path.extend_from_slice(file.as_bytes());
        self.config
            .set_raw_value_by("includeIf", Some(condition.as_bstr()), "path", path.as_bstr())
            .map_err(|error| Error::environment(format!("cannot write the include: {error}")))?;
        Ok(())
    }

    /// Puts git's own settings of a branch back, as [`branch_settings`] read them.
    pub fn put_branch_section(&mut self, branch: &BranchName, settings: &[Setting]) -> Result<()> {
        if settings.is_empty() {
            return Ok(());
        }
        self.remove_branch_section(branch);
        let malformed = |error| Error::environment(format!("cannot write the settings of branch '{branch}': {error}"));
        let mut section = self.config.new_section("branch", branch.as_bstr().to_owned()).map_err(malformed)?;
        for setting in settings {
            section.push(&setting.key, setting.value.as_bstr()).map_err(malformed)?;
        }
        Ok(())
    }

    /// Sets one value of the `[lane]` section itself.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.config
            .set_raw_value_by("lane", None::<&BStr>, key, value)
            .map_err(|error| Error::environment(format!("cannot set lane.{key}: {error}")))?;
        Ok(())
    }

    /// Sets one value of git's `[core]` section, or removes it wherever it is.
    pub fn set_core(&mut self, key: &str, value: Option<&str>) -> Result<()> {
        let Some(value) = value else {
            if let Ok(mut values) = self.config.raw_values_mut_by("core", None::<&BStr>, key) {
                values.delete_all();
            }
            return Ok(());
        };
        let set = self.config.set_raw_value_by("core", None::<&BStr>, key, value);
        set.map(drop).map_err(|error| Error::environment(format!("cannot set core.{key}: {error}")))
    }

    /// Gives a lane's record another branch and leaves everything else in it alone.
    pub fn set_branch(&mut self, lane: &LaneName, branch: &BranchName) -> Result<()> {
        self.config
            .set_raw_value_by("lane", Some(BStr::new(lane.as_str())), "branch", branch.as_bstr())
            .map_err(|error| Error::environment(format!("cannot record lane '{lane}': {error}")))?;
        Ok(())
    }

    /// Sets a value of the `[lane]` section where there is none yet.
    pub fn set_default(&mut self, key: &str, value: &str) -> Result<()> {
        match self.config.raw_value_by("lane", None::<&BStr>, key) {
            Ok(_) => Ok(()),
            Err(_) => self.set(key, value),
        }
    }

    /// Removes one value of the `[lane]` section itself.
    pub fn unset(&mut self, key: &str) {
        while let Ok(mut section) = self.config.section_mut("lane", None::<&BStr>) {
            let removed = section.remove(key).is_some();
            if section.num_values() == 0 {
                self.config.remove_section("lane", None::<&BStr>);
            } else if !removed {
                break;
            }
        }
    }

    /// Defines a hook in the configuration (git 2.54), or replaces its definition. git dies of an event without a
    /// command, so the command comes first, and both take effect at the same moment.
    pub fn put_hook(&mut self, name: &str, event: &str, command: &str) -> Result<()> {
        let says = |key: &str, value: &str| {
            let values = self.config.raw_values_by("hook", Some(BStr::new(name)), key);
            values.is_ok_and(|values| values.len() == 1 && values[0] == value)
        };
        // git would not run what somebody has switched off.
        let enabled = self.config.raw_values_by("hook", Some(BStr::new(name)), "enabled").is_err();
        if enabled && says("command", command) && says("event", event) {
            return Ok(());
        }
        self.remove_hook(name);
        let malformed = |error| Error::environment(format!("cannot define hook '{name}': {error}"));
        let mut section = self.config.new_section("hook", BString::from(name)).map_err(malformed)?;
        section.push("command", BStr::new(command)).map_err(malformed)?;
        section.push("event", BStr::new(event)).map_err(malformed)?;
        Ok(())
    }

    /// Whether the configuration defines a hook of that name.
    pub fn has_hook(&self, name: &str) -> bool {
        self.config.raw_values_by("hook", Some(BStr::new(name)), "event").is_ok()
    }

    /// Removes a hook from the configuration; whether there was one.
    pub fn remove_hook(&mut self, name: &str) -> bool {
        let mut removed = false;
        while self.config.remove_section("hook", BStr::new(name)).is_some() {
            removed = true;
        }
        removed
    }

    /// Puts the edit in force.
    pub fn commit(self) -> Result<()> {
        self.lock.commit(&text(&self.config)?)
    }
}

/// What the configuration file of `common_dir` says about a branch, in the order of the file.
pub fn branch_settings(common_dir: &Path, branch: &BranchName) -> Result<Vec<Setting>> {
    let config = load(&common_dir.join("config"))?;
    let sections = config.sections_by_name("branch").into_iter().flatten();
    let ours = sections.filter(|section| section.header().subsection_name() == Some(branch.as_bstr()));
    Ok(ours.flat_map(|section| section.body()).map(|(key, value)| Setting { key, value }).collect())
}

/// Where the witnesses of our lock files are.
pub fn locks(common_dir: &Path) -> PathBuf {
    common_dir.join("lane").join("locks")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was_written_and_git_reads_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config");
        std::fs::write(&config, "# kept\n[core]\n\tbare = false ; kept too\n").unwrap();
        let long = "x".repeat(10_000);
        let texts = ["two\nlines", "\"quoted\" \\ ] # ;", " spaces ", "trailing\r", "tab\tand é", long.as_str()];
        for (index, text) in texts.iter().enumerate() {
            let lane = sample(&format!("a/b.{index}-c#"), text);
            let mut edit = Edit::begin(directory.path()).unwrap();
            edit.put(&lane).unwrap();
            edit.put(&lane).unwrap();
            edit.commit().unwrap();
            let records = Records::read(directory.path()).unwrap();
            assert_eq!(records.find(&lane.name), Some(&lane));
            let key = format!("lane.{}.task", lane.name);
            let output = std::process::Command::new(std::env::var_os("GIT_LANE_TEST_GIT").unwrap_or("git".into()))
                .args(["config", "-z", "--file"])
                .arg(&config)
                .args(["--get-all", &key])
                .output()
                .unwrap();
            assert_eq!(output.stdout.as_bstr(), format!("{text}\0").as_bytes().as_bstr());
        }
        let text = std::fs::read_to_string(&config).unwrap();
        assert!(text.starts_with("# kept\n[core]\n\tbare = false ; kept too\n"), "{text}");
    }

    #[test]
    fn a_file_that_ends_in_the_middle_of_a_value_is_left_alone() {
        for end in ["\tx = a\\\n", "\tx = \"a\\\n", "\tx = a\\"] {
            let directory = tempfile::tempdir().unwrap();
            let config = directory.path().join("config");
            let text = format!("[core]\n\tbare = false\n[lane \"y\"]\n{end}");
            std::fs::write(&config, &text).unwrap();
            let Ok(mut edit) = Edit::begin(directory.path()) else { continue };
            edit.put(&sample("x", "task")).unwrap();
            if edit.commit().is_err() {
                assert_eq!(std::fs::read_to_string(&config).unwrap(), text);
            } else {
                assert!(Records::read(directory.path()).unwrap().find(&LaneName::parse("x").unwrap()).is_some());
            }
            assert!(!directory.path().join("config.lock").exists());
        }
    }

    #[test]
    fn a_damaged_section_is_reported_and_never_used() {
        let config = b"[lane]\n\tguard = warn\n[lane \"x\"]\n\tworktree = ../x\n[lane \"-y\"]\n\tworktree = /y\n";
        let file = File::from_bytes_no_includes(
            config,
            gix::config::file::Metadata::from(gix::config::Source::Local),
            Default::default(),
        );
        let records = Records::of(&file.unwrap());
        assert!(records.lanes.is_empty());
        let problems: Vec<_> = records.damaged.iter().map(|damaged| damaged.problem.as_str()).collect();
        assert_eq!(problems, ["'worktree' is not an absolute path", "its name starts with '-'"]);
    }
}
