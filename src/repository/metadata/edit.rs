//! Writing `.git/config`: git's own `config.lock` is taken, the file read again, and replaced by
//! rename, so neither we nor any `git config` loses a line.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix::config::File;

use super::{Records, load, put, remove, said, text};
use crate::domain::claim::Claim;
use crate::domain::lane::{Lane, ObjectId, RefName};
use crate::domain::lane_status::Mark;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::trash_entry::Setting;
use crate::error::{Error, Result};
use crate::store::lane_files::LaneDir;
use crate::store::lockfile::LockFile;

/// An edit of `.git/config` with `config.lock` held: no other git or git-lane writes the file until
/// it is committed or dropped.
#[derive(Debug)]
pub struct Edit {
    lock: LockFile,
    config: File,
}

impl Edit {
    /// Takes `config.lock` of the repository whose `lane_dir` that is, then reads the file.
    pub fn begin(lane_dir: &LaneDir) -> Result<Self> {
        let path = lane_dir.common_dir().join("config");
        let lock = LockFile::acquire(&path, lane_dir)?;
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
        while self
            .config
            .remove_section("branch", branch.as_bstr())
            .is_some()
        {}
    }

    /// Gives one worktree settings of its own: `[includeIf "gitdir:./worktrees/<id>"]` with `file`
    /// of its admin directory. git reads the include in that worktree alone, and ignores it once
    /// the file is gone.
    pub fn include_for_worktree(&mut self, admin_name: &Path, file: &str) -> Result<()> {
        let mut condition = BString::from("gitdir:./worktrees/");
        condition.extend_from_slice(admin_name.as_os_str().as_bytes());
        let mut path = b"worktrees/".to_vec();
        path.extend_from_slice(admin_name.as_os_str().as_bytes());
        path.extend_from_slice(b"/");
        path.extend_from_slice(file.as_bytes());
        self.config
            .set_raw_value_by(
                "includeIf",
                Some(condition.as_bstr()),
                "path",
                path.as_bstr(),
            )
            .map_err(|error| Error::environment(format!("cannot write the include: {error}")))?;
        Ok(())
    }

    /// Says, as git does, that the repository has worktrees with relative links: an older git must
    /// not mend them.
    pub fn allow_relative_links(&mut self) -> Result<()> {
        let failed = |error| Error::environment(format!("cannot write the extension: {error}"));
        for (section, key, value) in [
            ("core", "repositoryformatversion", "1"),
            ("extensions", "relativeWorktrees", "true"),
        ] {
            let now = self.config.string_by(section, None::<&BStr>, key);
            if now.is_none_or(|now| now != value) {
                self.config
                    .set_raw_value_by(section, None::<&BStr>, key, value)
                    .map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Puts git's own settings of a branch back, as [`super::branch_settings`] read them.
    pub fn put_branch_section(&mut self, branch: &BranchName, settings: &[Setting]) -> Result<()> {
        if settings.is_empty() {
            return Ok(());
        }
        self.remove_branch_section(branch);
        let malformed = |error| {
            Error::environment(format!(
                "cannot write the settings of branch '{branch}': {error}"
            ))
        };
        let mut section = self
            .config
            .new_section("branch", branch.as_bstr().to_owned())
            .map_err(malformed)?;
        for setting in settings {
            section
                .push(&setting.key, setting.value.as_bstr())
                .map_err(malformed)?;
        }
        Ok(())
    }

    /// Sets one value of the `[lane]` section itself.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.set_bytes(key, BStr::new(value))
    }

    /// The same for what need not be text.
    pub fn set_bytes(&mut self, key: &str, value: &BStr) -> Result<()> {
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
        let set = self
            .config
            .set_raw_value_by("core", None::<&BStr>, key, value);
        set.map(drop)
            .map_err(|error| Error::environment(format!("cannot set core.{key}: {error}")))
    }

    /// Gives a lane's record another branch and leaves everything else in it alone.
    pub fn set_branch(&mut self, lane: &LaneName, branch: &BranchName) -> Result<()> {
        self.set_of_lane(lane, "branch", Some(branch.as_bstr()))
    }

    /// Gives a lane's record another name, and says where the worktree is and on which branch; everything
    /// else in it stays.
    pub fn rename_lane(&mut self, before: &LaneName, after: &Lane) -> Result<()> {
        self.rename_section(
            "lane",
            before.as_str().as_bytes().as_bstr(),
            after.name.as_str(),
        )?;
        let worktree = BStr::new(after.worktree.as_os_str().as_bytes());
        self.set_of_lane(&after.name, "worktree", Some(worktree))?;
        let branch = after.branch.as_ref().map(BranchName::as_bstr);
        self.set_of_lane(&after.name, "branch", branch)
    }

    /// Gives git's own settings of a branch to the name that it has now, as `git branch -m` does.
    pub fn rename_branch_section(&mut self, from: &BranchName, to: &BranchName) -> Result<()> {
        self.rename_section("branch", from.as_bstr(), to.as_bstr())
    }

    /// Renames all sections of that name; there may be none.
    fn rename_section<'a>(
        &mut self,
        kind: &str,
        from: &BStr,
        to: impl Into<&'a BStr>,
    ) -> Result<()> {
        let to: &BStr = to.into();
        let is_there = |config: &File| {
            let mut sections = config.sections_by_name(kind).into_iter().flatten();
            sections.any(|section| section.header().subsection_name() == Some(from))
        };
        if from == to || !is_there(&self.config) {
            return Ok(());
        }
        let renamed = self
            .config
            .rename_section(kind, Some(from), kind, Some(to.to_owned()));
        renamed.map_err(|error| {
            Error::environment(format!("cannot rename section {kind} '{from}': {error}"))
        })
    }

    /// Gives a lane's record another base and leaves everything else in it alone.
    pub fn set_base(&mut self, lane: &LaneName, base: &BranchName) -> Result<()> {
        self.set_of_lane(lane, "base", Some(base.to_ref().as_bstr()))
    }

    /// The same of any ref, or of none.
    pub fn set_base_ref(&mut self, lane: &LaneName, base: Option<&RefName>) -> Result<()> {
        self.set_of_lane(lane, "base", base.map(RefName::as_bstr))
    }

    /// Gives a lane's record another fork point and leaves everything else in it alone.
    pub fn set_fork_point(&mut self, lane: &LaneName, commit: ObjectId) -> Result<()> {
        self.set_of_lane(
            lane,
            "forkPoint",
            Some(commit.to_string().as_bytes().as_bstr()),
        )
    }

    /// Gives a lane's record another owner, or none, and leaves everything else in it alone.
    pub fn set_owner(&mut self, lane: &LaneName, owner: Option<&str>) -> Result<()> {
        self.set_of_lane(lane, "owner", owner.map(BStr::new))
    }

    /// Records how far a lane is, and leaves everything else in its record alone.
    pub fn set_mark(&mut self, lane: &LaneName, mark: &Mark) -> Result<()> {
        self.set_all(lane, said::of_mark(Some(mark)))
    }

    /// Records a lane's claim, or that it has none any more, and leaves everything else alone.
    pub fn set_claim(&mut self, lane: &LaneName, claim: Option<&Claim>) -> Result<()> {
        self.set_all(lane, said::of_claim(claim))
    }

    fn set_all<const N: usize>(
        &mut self,
        lane: &LaneName,
        values: [(&'static str, Option<String>); N],
    ) -> Result<()> {
        values.into_iter().try_for_each(|(key, value)| {
            self.set_of_lane(lane, key, value.as_deref().map(BStr::new))
        })
    }

    /// Sets one value of a lane's record, or removes it however often it is there.
    fn set_of_lane(&mut self, lane: &LaneName, key: &str, value: Option<&BStr>) -> Result<()> {
        let section = Some(BStr::new(lane.as_str()));
        let Some(value) = value else {
            while let Ok(mut found) = self.config.section_mut("lane", section)
                && found.remove(key).is_some()
            {}
            // In another section of the same record.
            if let Ok(mut values) = self.config.raw_values_mut_by("lane", section, key) {
                values.delete_all();
            }
            return Ok(());
        };
        self.config
            .set_raw_value_by("lane", section, key, value)
            .map(drop)
            .map_err(|error| Error::environment(format!("cannot record lane '{lane}': {error}")))
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

    /// Defines a hook in the configuration (git 2.54), or replaces its definition. git dies of an
    /// event without a command, so the command comes first, and both take effect at the same
    /// moment.
    pub fn put_hook(&mut self, name: &str, event: &str, command: &str) -> Result<()> {
        let says = |key: &str, value: &str| {
            let values = self
                .config
                .raw_values_by("hook", Some(BStr::new(name)), key);
            values.is_ok_and(|values| values.len() == 1 && values[0] == value)
        };
        // git would not run what the user has switched off.
        let enabled = self
            .config
            .raw_values_by("hook", Some(BStr::new(name)), "enabled")
            .is_err();
        if enabled && says("command", command) && says("event", event) {
            return Ok(());
        }
        self.remove_hook(name);
        let malformed = |error| Error::environment(format!("cannot define hook '{name}': {error}"));
        let mut section = self
            .config
            .new_section("hook", BString::from(name))
            .map_err(malformed)?;
        section
            .push("command", BStr::new(command))
            .map_err(malformed)?;
        section.push("event", BStr::new(event)).map_err(malformed)?;
        Ok(())
    }

    /// Whether the configuration defines a hook of that name.
    pub fn has_hook(&self, name: &str) -> bool {
        self.config
            .raw_values_by("hook", Some(BStr::new(name)), "event")
            .is_ok()
    }

    /// Removes a hook from the configuration; whether there was one.
    pub fn remove_hook(&mut self, name: &str) -> bool {
        let mut removed = false;
        while self
            .config
            .remove_section("hook", BStr::new(name))
            .is_some()
        {
            removed = true;
        }
        removed
    }

    /// Puts the edit in force.
    pub fn commit(self) -> Result<()> {
        self.lock.commit(&text(&self.config)?)
    }
}
