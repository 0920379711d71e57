//! Who works in a directory, by what lsof(8) and ps(1) list, where there is no /proc.
//!
//! `processes` asks through `engines/platform`. lsof shows the files of one's own processes alone, and
//! those of all users to root: of another user's process nothing tells where it works.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::{Spared, Writers};
use crate::domain::retire::{Busy, BusyProcess};
use crate::store::platform::{groups_of, is_idle_shell, lsof, ps};

/// A git's locks tell whether it is at work; its arguments and its environment are not shown for
/// certain.
pub fn may_have_git(_: &[PathBuf]) -> bool {
    true
}

/// Of all processes, or of these, the gits that have the directory open. Without lsof none is found.
pub fn gits_that_read(directory: &Path, of: Option<&[i32]>) -> Vec<i32> {
    let directory = directory.to_string_lossy();
    let listed = lsof(&["-t", "-a", "-c", "/^git$/", "--", &directory]).unwrap_or_default();
    let ids = listed
        .lines()
        .filter_map(|id| id.to_str().ok()?.parse().ok());
    ids.filter(|id| of.is_none_or(|of| of.contains(id)))
        .collect()
}

/// The files of the processes that may be looked at.
fn open_files(more: &[&str]) -> Option<Vec<u8>> {
    let own = rustix::process::getuid().as_raw().to_string();
    let mut arguments = vec!["-F", "pcfn"];
    if own != "0" {
        arguments.extend(["-u", &own]);
    }
    arguments.extend(more);
    lsof(&arguments)
}

/// In which of these directories [`look`] may find a process.
pub fn may_be_worked_in(directories: &[&Path], spared: &Spared) -> Vec<bool> {
    let (Some(files), Some(others)) = (open_files(&[]), others()) else {
        return vec![true; directories.len()];
    };
    let worked_in = |directory: &&Path| {
        is_listed(&files, directory, spared).is_some()
            || may_be_worked_in_by(&others, directory, spared).is_some()
    };
    directories.iter().map(worked_in).collect()
}

/// The process that works there.
pub fn look(directory: &Path, spared: &Spared) -> Option<Busy> {
    let Some(files) = open_files(&[]) else {
        return Some(Busy::Unknown);
    };
    if let Some((pid, command)) = is_listed(&files, directory, spared) {
        return Some(Busy::Process(BusyProcess {
            pid,
            command,
            unseen: None,
            is_idle_shell: is_idle_shell(pid),
        }));
    }
    let Some(others) = others() else {
        return Some(Busy::Unknown);
    };
    may_be_worked_in_by(&others, directory, spared).map(Busy::Process)
}

/// Where the processes stand that may be looked at.
pub fn current_directories() -> Vec<PathBuf> {
    let files = open_files(&["-a", "-d", "cwd"]).unwrap_or_default();
    let names = files.lines().filter_map(|line| line.strip_prefix(b"n"));
    names
        .map(|name| crate::store::path(&unescaped(name)))
        .collect()
}

/// A process of another user, whose files are not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Other {
    id: i32,
    user: u32,
    group: u32,
    command: String,
}

/// All of them; `None` where ps says nothing. Services of the system, which are root's, work in no
/// lane.
fn others() -> Option<Vec<Other>> {
    let own = rustix::process::getuid().as_raw();
    if own == 0 {
        return Some(Vec::new());
    }
    let said = ps(&["-A"], &["pid", "uid", "gid", "ucomm"])?;
    let mut all = said.lines().filter_map(other).peekable();
    // This process itself is one: an empty list is no answer.
    all.peek()?;
    Some(all.filter(|one| one.user != 0 && one.user != own).collect())
}

fn other(line: &[u8]) -> Option<Other> {
    let mut fields = line.fields();
    // The user nobody is -2 to some.
    let mut number = || Some(fields.next()?.to_str().ok()?.parse::<i64>().ok()? as u32);
    Some(Other {
        id: number()?.cast_signed(),
        user: number()?,
        group: number()?,
        command: fields
            .map(|word| word.to_str_lossy())
            .collect::<Vec<_>>()
            .join(" "),
    })
}

/// The first of them that can write in a directory.
fn may_be_worked_in_by(others: &[Other], directory: &Path, spared: &Spared) -> Option<BusyProcess> {
    let writers = Writers::of(directory)?;
    // A user's further groups are asked for once.
    let mut further: HashMap<u32, Vec<u32>> = HashMap::new();
    let others = others.iter().filter(|one| !spared.contains(&one.id));
    for one in others.filter(|one| !super::is_passing(&one.command)) {
        let groups = || {
            let further = further.entry(one.user);
            let further = further.or_insert_with(|| groups_of(one.user));
            further.iter().copied().chain([one.group]).collect()
        };
        if writers.include(one.user, groups) {
            return Some(BusyProcess {
                pid: one.id,
                command: one.command.clone(),
                unseen: Some(one.user),
                is_idle_shell: false,
            });
        }
    }
    None
}

/// Who is in `directory` by lsof's `-F pcfn`: a line `p<pid>` begins a process, `c<command>`
/// describes it, and every `f<descriptor>` has its `n<name>`. Those that are `spared` are left out.
fn is_listed(listing: &[u8], directory: &Path, spared: &Spared) -> Option<(i32, String)> {
    let (mut id, mut command) = (0, String::new());
    for line in listing.lines() {
        let Some((kind, text)) = line.split_first() else {
            continue;
        };
        match kind {
            b'p' => {
                let number = text.to_str().ok().and_then(|id| id.parse().ok());
                id = number.unwrap_or_default();
            }
            b'c' => command = text.to_str_lossy().into_owned(),
            b'n' if crate::store::path(&unescaped(text)).starts_with(directory)
                && !spared.contains(&id) =>
            {
                return Some((id, command));
            }
            _ => {}
        }
    }
    None
}

/// lsof writes a backslash as two, and a byte it does not take for printable as `\\xHH`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after
            .strip_prefix(b"x")
            .and_then(|hex| hex.get(..2))
            .and_then(|hex| hex.to_str().ok());
        let (decoded, taken) = match (
            byte,
            after.first(),
            hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()),
        ) {
            (b'\\', _, Some(decoded)) => (decoded, 3),
            (b'\\', Some(b'\\'), _) => (b'\\', 1),
            _ => (byte, 0),
        };
        bytes.push(decoded);
        rest = &after[taken..];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn lsof_says_who_is_inside() {
        let listing = [
            "p1\ncinit\nfcwd\nn/\np7\ncsh\nfcwd\nn/lanes/login\n",
            "p9\ncgit-lane\nfcwd\nn/lanes/login\np10\nclsof\nfcwd\nn/\n",
            "p20\ncvim\nfcwd\nn/home\nf4\nn/lanes/login/a \\xc3\\xa9\\\\b\n",
            "p21\ncless\nfcwd\nn/lanes/login2\n",
        ]
        .concat();
        let named =
            |directory: &str| is_listed(listing.as_bytes(), Path::new(directory), &[9, 7, 1]);
        assert_eq!(named("/lanes/login"), Some((20, "vim".into())));
        assert_eq!(named("/lanes/login/a é\\b"), Some((20, "vim".into())));
        assert_eq!(named("/lanes/login2"), Some((21, "less".into())));
        assert_eq!(named("/lanes/log"), None);
        assert_eq!(is_listed(b"p\nn\n\nx\npx\nn/", Path::new("/x"), &[]), None);
        // A process whose id cannot be read works there all the same.
        assert!(is_listed(b"px\ncsh\nn/x", Path::new("/x"), &[]).is_some());
    }

    #[test]
    fn a_row_of_ps_is_a_process_of_a_user() {
        let expected = Other {
            id: 4711,
            user: 501,
            group: 20,
            command: "Some App".into(),
        };
        assert_eq!(other(b" 4711   501    20 Some App"), Some(expected));
        for nothing in ["", "4711 501", "x 501 20 a", "4711 y 20 a"] {
            assert_eq!(other(nothing.as_bytes()), None, "{nothing}");
        }
    }

    #[test]
    fn who_can_write_there_may_work_there() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let of = |id, user, group, command: &str| Other {
            id,
            user,
            group,
            command: command.into(),
        };
        let all = [
            of(7, 54_321, 54_321, "git"),
            of(8, 54_321, 54_321, "spared"),
            of(9, 54_321, 54_321, "vim"),
        ];
        for (mode, found) in [(0o755, None), (0o757, Some(9))] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(directory.path(), permissions).unwrap();
            let busy = may_be_worked_in_by(&all, directory.path(), &[8]);
            assert_eq!(busy.map(|busy| busy.pid), found, "{mode:o}");
        }
    }

    #[test]
    fn a_real_lsof_finds_a_stranger_and_not_us() {
        if lsof(&["-v"]).is_none() && open_files(&[]).is_none() {
            eprintln!("skipped: there is no lsof");
            return;
        }
        let directory = tempfile::Builder::new().prefix("a b\\é").tempdir().unwrap();
        let directory = std::fs::canonicalize(directory.path()).unwrap();
        let own = [std::process::id().cast_signed()];
        let _open = std::fs::File::create(directory.join("open")).unwrap();
        let mut child = Command::new("sleep")
            .arg("60")
            .current_dir(&directory)
            .spawn()
            .unwrap();
        let id = child.id().cast_signed();
        // A process that another test is just starting holds all our files until it is exec'ed.
        let finds_it =
            || matches!(look(&directory, &own), Some(Busy::Process(one)) if one.pid == id);
        let found = (0..50).any(|_| finds_it());
        let may_be = may_be_worked_in(&[&directory, Path::new("/none")], &own);
        let stands = current_directories().contains(&directory);
        let _ = child.kill().and_then(|()| child.wait());
        assert!(found && stands);
        assert_eq!(may_be, [true, false]);
        assert!((0..50).any(|_| look(&directory, &own).is_none()));
    }
}
