//! The file of an intent, and what of it every version of git-lane can read.
//!
//! It has three fields. `home` says whose the intent is, `about` what no command may touch until it
//! is healed; these two never change their names, their fields or what these mean, though they may
//! get further ones. `intent` is for the versions that know its `operation`: a change that an older
//! one would heal wrongly takes another `operation`.
//!
//! So a version that meets the intent of a newer one leaves that alone, and with it what `about`
//! names, and goes on with everything else. An intent without `about` may be about everything, and
//! stops a version that cannot read the rest.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned, de::IgnoredAny};

use crate::domain::lane::{RefName, lossless_path};
use crate::domain::name::LaneName;
use crate::error::{Error, IoContext, Result};

/// The `.git/lane` that an intent was written in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Home {
    #[serde(with = "lossless_path")]
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Home {
    pub(super) fn of(lane_dir: &Path) -> Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let path = std::fs::canonicalize(lane_dir).context("find", lane_dir)?;
        let metadata = std::fs::metadata(&path).context("read", &path)?;
        Ok(Home {
            path,
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// A repository may be moved, and a device may get another number; a copy differs in both.
    fn is(&self, other: &Home) -> bool {
        self.path == other.path || (self.device, self.inode) == (other.device, other.inode)
    }
}

/// What an intent is about, in the words of every version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// What it is called, for people: "the start of lane 'x'".
    pub what: String,
    /// Lanes that are neither here nor there.
    pub lanes: Vec<LaneName>,
    /// Branches that may just be moving.
    pub bases: Vec<RefName>,
    /// Git directories of worktrees whose files and index may be between two commits.
    pub git_dirs: Vec<GitDir>,
}

impl About {
    /// Of one lane.
    pub fn lane(what: String, lane: &LaneName) -> Self {
        About {
            what,
            lanes: vec![lane.clone()],
            ..About::default()
        }
    }

    /// Whether the files of the worktree with that git directory may be between two commits.
    pub fn moves_files_of(&self, git_dir: &Path) -> bool {
        self.git_dirs.iter().any(|GitDir(moving)| moving == git_dir)
    }
}

/// The git directory of a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GitDir(#[serde(with = "lossless_path")] pub PathBuf);

/// What can be announced.
pub trait Announce: Serialize {
    /// What it is about.
    fn about(&self) -> About;
}

#[derive(Debug, Serialize, Deserialize)]
struct Written<T> {
    home: Home,
    #[serde(default)]
    about: Option<About>,
    intent: T,
}

/// What the file of an intent says to this version.
#[derive(Debug)]
pub enum Said<T> {
    /// What was intended.
    Intent(T),
    /// It is another version's; what it is about, if that is said.
    Unknown(Option<About>),
    /// Nothing. Intents are complete when they appear, so it was damaged, and no git-lane can make
    /// sense of it.
    Nothing,
    /// It is of the repository that this one is a copy of.
    OfTheOriginal,
}

/// The text of an intent's file.
pub(super) fn write(home: Home, intent: &impl Announce) -> Result<Vec<u8>> {
    let written = Written {
        home,
        about: Some(intent.about()),
        intent,
    };
    serde_json::to_vec_pretty(&written)
        .map_err(|error| Error::environment("cannot write the journal").caused_by(error))
}

/// What the text says in the journal below `home`.
pub(super) fn read<T: DeserializeOwned>(text: &[u8], home: &Home) -> Said<T> {
    let head = serde_json::from_slice::<Written<IgnoredAny>>(text).ok();
    if head.as_ref().is_some_and(|head| !head.home.is(home)) {
        return Said::OfTheOriginal;
    }
    match serde_json::from_slice::<Written<T>>(text) {
        Ok(written) => Said::Intent(written.intent),
        Err(_) if serde_json::from_slice::<IgnoredAny>(text).is_err() => Said::Nothing,
        Err(_) => Said::Unknown(head.and_then(|head| head.about)),
    }
}

/// What was intended, and what that is about, whosever it is; as far as it can be read.
pub(super) fn intent<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    serde_json::from_slice::<Written<T>>(text)
        .ok()
        .map(|written| written.intent)
}

/// What an intent is about.
pub(super) fn about(text: &[u8]) -> Option<About> {
    serde_json::from_slice::<Written<IgnoredAny>>(text)
        .ok()?
        .about
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(path: &str) -> Home {
        Home {
            path: path.into(),
            device: 1,
            inode: path.len() as u64,
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "operation", rename_all = "kebab-case")]
    enum Known {
        Walk { steps: u32 },
    }

    impl Announce for Known {
        fn about(&self) -> About {
            let lanes = vec![LaneName::parse("login").unwrap()];
            About {
                what: "a walk".into(),
                lanes,
                git_dirs: vec![GitDir("/x".into())],
                ..About::default()
            }
        }
    }

    /// What was written once is read for ever: this is no text of today's code.
    #[test]
    fn what_is_promised_is_read_in_files_of_any_version() {
        let file = |rest: &str| {
            format!(r#"{{"home": {{"path": "/r", "device": 1, "inode": 2, "era": 5}}, {rest}}}"#)
        };
        let about = r#""about": {"what": "a flight", "lanes": ["login"], "bases": ["refs/heads/main", [114, 101, 102, 115, 47, 255]],
            "gitDirs": ["/r/.git", [47, 255]], "height": 7}"#;
        let home = home("/r");
        let newer = file(&format!(
            r#"{about}, "intent": {{"operation": "fly", "steps": 1}}, "era": 5"#
        ));
        let Said::Unknown(Some(read)) = super::read::<Known>(newer.as_bytes(), &home) else {
            panic!("{newer}")
        };
        assert_eq!(
            (&*read.what, read.lanes[0].as_str(), read.bases.len()),
            ("a flight", "login", 2)
        );
        assert!(read.moves_files_of(Path::new("/r/.git")) && !read.moves_files_of(Path::new("/r")));
        assert_eq!(super::about(newer.as_bytes()), Some(read));

        // An intent that names a field of a later version is still that intent.
        let known = file(&format!(
            r#"{about}, "intent": {{"operation": "walk", "steps": 1, "shoes": 2}}"#
        ));
        assert!(matches!(
            super::read::<Known>(known.as_bytes(), &home),
            Said::Intent(Known::Walk { steps: 1 })
        ));
        for unknown in [
            file(r#""intent": {"operation": "fly"}"#),
            "{}".into(),
            file(&about.replace("[\"login\"]", "7")),
        ] {
            assert!(
                matches!(
                    super::read::<Known>(unknown.as_bytes(), &home),
                    Said::Unknown(None)
                ),
                "{unknown}"
            );
        }
        assert!(matches!(
            super::read::<Known>(&newer.as_bytes()[..20], &home),
            Said::Nothing
        ));
        let copy = Home {
            path: "/copy".into(),
            device: 1,
            inode: 9,
        };
        assert!(matches!(
            super::read::<Known>(newer.as_bytes(), &copy),
            Said::OfTheOriginal
        ));
    }

    #[test]
    fn what_is_written_says_what_it_is_about() {
        let text = write(home("/r"), &Known::Walk { steps: 3 }).unwrap();
        assert_eq!(super::about(&text), Some(Known::Walk { steps: 3 }.about()));
        assert!(matches!(
            super::intent::<Known>(&text),
            Some(Known::Walk { steps: 3 })
        ));
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let fields = |value: &serde_json::Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(fields(&json), ["about", "home", "intent"]);
        assert_eq!(
            fields(&json["about"]),
            ["bases", "gitDirs", "lanes", "what"]
        );
        assert_eq!(fields(&json["home"]), ["device", "inode", "path"]);
    }
}
