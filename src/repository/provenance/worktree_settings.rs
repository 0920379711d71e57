//! What an admin directory that comes out of `.git/lane` may tell git: a stranger may have put it
//! there, or into it.
//!
//! git reads all settings of a worktree's repository where `commondir` leads, and those of the
//! worktree from files in its admin directory. For some it runs programs, others lead out of the
//! repository. What the user's own state directory does not vouch for, and the repository's main
//! worktree does not have too, goes back only where it can do neither.

use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use gix::config::File;

use super::{lane_files, registry};
use crate::error::{Error, IoContext, Result};
use crate::repository::metadata;
use crate::store::exists;
use crate::store::git::settings::SPARSE_CONFIG;
use crate::store::lane_files::LaneDir;
use crate::store::with_end;

/// The files with settings of a worktree: git's own, and git-lane's for sparse ones.
const FILES: [&str; 2] = ["config.worktree", SPARSE_CONFIG];

/// Whether they are on or off, how lines end, how files are compared: nothing for which git runs or
/// reads anything else.
const PLAIN: [(&str, &[&str]); 5] = [
    (
        "core",
        &[
            "autocrlf",
            "checkstat",
            "eol",
            "filemode",
            "ignorecase",
            "precomposeunicode",
            "preloadindex",
            "quotepath",
            "safecrlf",
            "sparsecheckout",
            "sparsecheckoutcone",
            "splitindex",
            "symlinks",
            "trustctime",
            "untrackedcache",
        ],
    ),
    ("index", &["skiphash", "sparse", "threads", "version"]),
    ("user", &["email", "name"]),
    ("sparse", &["expectfilesoutsideofpatterns"]),
    (
        "status",
        &[
            "aheadbehind",
            "branch",
            "renames",
            "short",
            "showstash",
            "showuntrackedfiles",
        ],
    ),
];

/// A setting that is not put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubted {
    /// The file that had it.
    pub file: PathBuf,
    /// Its full name; `None` where the file is none that git can read.
    pub key: Option<BString>,
    /// Its value.
    pub value: BString,
}

/// Remembers, for the return of the worktree, what it has of settings that could be a stranger's.
/// To be asked while `admin` is in git's own place.
pub fn vouch(common_dir: &Path, admin: &Path) {
    for name in FILES {
        let Ok(bytes) = lane_files::read(&admin.join(name)) else {
            continue;
        };
        if !metadata::parse(&bytes).is_ok_and(|config| split(&config, None).1.is_empty()) {
            registry::vouch(common_dir, &bytes);
        }
    }
}

/// Lets `admin`, which is to be among the admin directories of the repository, tell git nothing
/// that is not borne out. A file with settings that are not stays beside its place.
pub fn tame(lane_dir: &LaneDir, admin: &Path) -> Result<()> {
    let common_dir = lane_dir.common_dir();
    let commondir = admin.join("commondir");
    if !leads_home(common_dir, &commondir) {
        lane_dir
            .write(&commondir, b"../..\n")
            .context("write", &commondir)?;
    }
    let main = metadata::load(&common_dir.join(FILES[0])).ok();
    for name in FILES {
        let path = admin.join(name);
        if !exists(&path) {
            continue;
        }
        let bytes = lane_files::read(&path).ok();
        if bytes
            .as_ref()
            .is_some_and(|bytes| registry::vouches(common_dir, bytes))
        {
            continue;
        }
        let read = bytes.and_then(|bytes| metadata::parse(&bytes).ok());
        let (plain, doubted) = read
            .as_ref()
            .map(|config| split(config, main.as_ref()))
            .unzip();
        if doubted.is_some_and(|doubted| doubted.is_empty()) {
            continue;
        }
        let text = plain
            .map(|plain| text(&plain))
            .transpose()?
            .unwrap_or_default();
        let new = with_end(&path, ".lane-new");
        lane_dir.write(&new, &text).context("write", &new)?;
        let aside = aside(&path);
        let _ = std::fs::remove_file(&aside);
        // Whole where a death comes between the two, unless nothing can be read there anyway.
        if std::fs::hard_link(&path, &aside).is_err() {
            std::fs::rename(&path, &aside).context("move away", &path)?;
        }
        std::fs::rename(&new, &path).context("write", &path)?;
    }
    Ok(())
}

/// Whether git is led to the common directory from `commondir`, once that is among the others.
fn leads_home(common_dir: &Path, commondir: &Path) -> bool {
    let Ok(text) = lane_files::read(commondir) else {
        return false;
    };
    let named = crate::store::path(crate::store::line(&text));
    let is_there = || std::fs::canonicalize(&named).is_ok_and(|named| named == common_dir);
    named == Path::new("../..") || named.is_absolute() && is_there()
}

/// What was not put back into `admin` and is not there by now.
pub fn doubted(admin: &Path) -> Vec<Doubted> {
    let mut found = Vec::new();
    for file in FILES.map(|name| admin.join(name)) {
        let aside = aside(&file);
        if !exists(&aside) {
            continue;
        }
        let Some(config) = lane_files::read(&aside)
            .ok()
            .and_then(|bytes| metadata::parse(&bytes).ok())
        else {
            found.push(Doubted {
                file,
                key: None,
                value: BString::default(),
            });
            continue;
        };
        let now = metadata::load(&file)
            .map(|config| settings(&config))
            .unwrap_or_default();
        let missing = split(&config, None)
            .1
            .into_iter()
            .filter(|setting| !now.contains(setting));
        found.extend(missing.map(|setting| Doubted {
            file: file.clone(),
            key: Some(setting.full_key()),
            value: setting.value,
        }));
    }
    found
}

/// Where a file is whose settings are not put back.
pub fn aside(file: &Path) -> PathBuf {
    with_end(file, ".not-restored")
}

/// One setting of a file, by its section, its section's name and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    section: String,
    name: Option<BString>,
    key: String,
    value: BString,
}

impl Setting {
    fn full_key(&self) -> BString {
        let Setting {
            section, name, key, ..
        } = self;
        match name {
            Some(name) => {
                bstr::concat([section.as_bytes(), b".", name, b".", key.as_bytes()]).into()
            }
            None => format!("{section}.{key}").into(),
        }
    }

    fn is_plain(&self) -> bool {
        let known = PLAIN
            .iter()
            .any(|(section, keys)| *section == self.section && keys.contains(&&*self.key));
        // A built-in daemon is asked for with a boolean.
        let is_switch =
            self.section == "core" && self.key == "fsmonitor" && is_boolean(&self.value);
        self.name.is_none() && (known || is_switch) && !self.value.iter().any(u8::is_ascii_control)
    }
}

fn is_boolean(value: &BString) -> bool {
    gix::config::Boolean::try_from(value.as_bstr()).is_ok()
}

fn settings(config: &File) -> Vec<Setting> {
    let mut found = Vec::new();
    for section in config.sections() {
        let header = section.header();
        let (word, name) = (
            header.name().to_string().to_lowercase(),
            header.subsection_name(),
        );
        found.extend(section.body().into_iter().map(|(key, value)| Setting {
            section: word.clone(),
            name: name.map(ToOwned::to_owned),
            key: key.to_string().to_lowercase(),
            value,
        }));
    }
    found
}

/// Those settings that may go back, and those that may not.
fn split(config: &File, main: Option<&File>) -> (Vec<Setting>, Vec<Setting>) {
    let main = main.map(settings).unwrap_or_default();
    settings(config)
        .into_iter()
        .partition(|setting| setting.is_plain() || main.contains(setting))
}

/// The text of a file with these settings.
fn text(settings: &[Setting]) -> Result<Vec<u8>> {
    let mut config = File::new(gix::config::file::Metadata::from(
        gix::config::Source::Local,
    ));
    for Setting {
        section,
        name,
        key,
        value,
    } in settings
    {
        let malformed =
            |error| Error::environment(format!("cannot write '{section}.{key}': {error}"));
        config
            .new_section(section, name.clone())
            .map_err(malformed)?
            .push(key, value.as_bstr())
            .map_err(malformed)?;
    }
    metadata::text(&config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::permissions::Shared;

    #[test]
    fn only_what_runs_nothing_and_leads_nowhere_goes_back() {
        let config = metadata::parse(
            b"[core]\n\tsparseCheckout = true\n\tfsmonitor = true\n\tautocrlf = \
              input\n\tfsmonitor = touch x\n\thooksPath = /x\n\tworktree = /x\n\tbare = \
              true\n\tpager = x\n[core \"x\"]\n\teol = lf\n[user]\n\tname = A B\n[filter \
              \"a.b\"]\n\tclean = x\n[filter \"lfs\"]\n\tclean = git-lfs\n[include]\n\tpath = \
              /x\n[new]\n\tkey = x\n",
        );
        let main =
            metadata::parse(b"[filter \"lfs\"]\n\tclean = git-lfs\n[core]\n\tpager = less\n");
        let (plain, doubted) = split(&config.unwrap(), Some(&main.unwrap()));
        assert_eq!(
            text(&plain).unwrap().as_bstr(),
            "[core]\n\tsparsecheckout = true\n[core]\n\tfsmonitor = true\n[core]\n\tautocrlf = \
             input\n[user]\n\tname = A B\n[filter \"lfs\"]\n\tclean = git-lfs\n"
        );
        let doubted: Vec<BString> = doubted.iter().map(Setting::full_key).collect();
        let expected = [
            "core.fsmonitor",
            "core.hookspath",
            "core.worktree",
            "core.bare",
            "core.pager",
            "core.x.eol",
            "filter.a.b.clean",
            "include.path",
            "new.key",
        ];
        assert_eq!(doubted, expected);
    }

    #[test]
    fn an_admin_directory_belongs_to_its_own_repository() {
        let directory = tempfile::tempdir().unwrap();
        let common_dir = std::fs::canonicalize(directory.path()).unwrap();
        let (admin, other) = (
            common_dir.join("lane/trash/1/admin"),
            tempfile::tempdir().unwrap(),
        );
        std::fs::create_dir_all(&admin).unwrap();
        let commondir = admin.join("commondir");
        let own = common_dir.display().to_string();
        for (text, stays) in [
            ("../..\n", true),
            ("../..", true),
            (&*format!("{own}\n"), true),
            (&other.path().display().to_string(), false),
            ("..", false),
            ("", false),
            ("../../..", false),
        ] {
            std::fs::write(&commondir, text).unwrap();
            tame(&LaneDir::of(&common_dir, Shared::Umask), &admin).unwrap();
            let expected = if stays { text } else { "../..\n" };
            assert_eq!(
                std::fs::read_to_string(&commondir).unwrap(),
                expected,
                "{text}"
            );
        }
        std::fs::remove_file(&commondir).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &commondir).unwrap();
        tame(&LaneDir::of(&common_dir, Shared::Umask), &admin).unwrap();
        assert_eq!(std::fs::read_to_string(&commondir).unwrap(), "../..\n");
    }
}
