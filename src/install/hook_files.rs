//! Hook files: written and removed so that no moment exists in which a hook that was there does not
//! run.
//!
//! A foreign hook is never edited. It keeps its bytes, mode and name in `hooks.pre-git-lane` beside
//! `hooks`: a second link to the same file until ours replaces the first by rename; the way back is
//! one rename too. Many hooks look at their own name, or for files beside them or some levels up,
//! so that directory has links to everything else in `hooks`. Whatever others add around our block
//! stays.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use bstr::ByteSlice;

use super::stub;
use crate::domain::guard::git_hook::Hook;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::hook_file::{Found, beside, kept, read};
use crate::store::entries;
use crate::store::exists;
use crate::store::file_id::FileId;
use crate::store::permissions::Shared;
use crate::store::with_end;

/// What the name of a hook begins with while it is being written.
const UNFINISHED: &str = ".git-lane-";

/// Removes what a dead process was writing.
fn remove_unfinished(directory: &Path) {
    for entry in entries(directory) {
        if entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(UNFINISHED.as_bytes())
        {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

/// Gives the hooks that are kept the neighbours they had; none is kept, none is needed.
fn mirror(directory: &Path) -> Result<()> {
    let beside = beside(directory);
    let ours = |name: &std::ffi::OsStr| Hook::ALL.iter().any(|hook| name == hook.name());
    let names = |directory: &Path| {
        let entries = entries(directory);
        entries.map(|entry| entry.file_name()).collect::<Vec<_>>()
    };
    let target = |name: &std::ffi::OsStr| {
        let hooks = directory.file_name().unwrap_or_default();
        Path::new("..").join(hooks).join(name)
    };
    let any = names(&beside).iter().any(|name| ours(name));
    for name in names(&beside) {
        let link = beside.join(&name);
        if std::fs::read_link(&link).is_ok_and(|to| to == target(&name)) && (!any || !link.exists())
        {
            std::fs::remove_file(&link).context("remove", &link)?;
        }
    }
    if !any {
        // Stays when the user has put something into it.
        drop(std::fs::remove_dir(&beside));
        return Ok(());
    }
    let sample = |name: &std::ffi::OsStr| {
        Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "sample")
    };
    for name in names(directory)
        .iter()
        .filter(|name| !ours(name) && !sample(name))
    {
        let link = beside.join(name);
        match std::os::unix::fs::symlink(target(name), &link) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).context("write", &link);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes our block for `hooks`, and removes it from the others. The caller sees to it that only
/// one of us is at work.
pub(super) fn install(directory: &Path, hooks: &[Hook], shared: Shared) -> Result<()> {
    shared
        .create_dir_all(directory)
        .context("create", directory)?;
    remove_unfinished(directory);
    // All or none: what cannot be done is found out first.
    tempfile::tempfile_in(directory).context("write in", directory)?;
    for hook in hooks {
        let file = directory.join(hook.name());
        if matches!(read(&file)?, Found::Foreign)
            && exists(&kept(&file))
            && !same(&file, &kept(&file))
        {
            return Err(Error::refused(format!(
                "'{}' was replaced after git-lane had put the hook before it aside",
                file.display()
            ))
            .with_code(Code::HookReplaced)
            .hint(format!(
                "decide which one stays, that or '{}', and remove the other",
                kept(&file).display()
            )));
        }
    }
    for hook in Hook::ALL {
        let file = directory.join(hook.name());
        match hooks.contains(&hook) {
            true => install_one(&file, hook, shared)?,
            false => drop(uninstall_one(&file, shared)?),
        }
        // Ours is where it belongs: what other tools keep of it would only be asked once more.
        forget_moved(&file)?;
    }
    mirror(directory)
}

fn install_one(file: &Path, hook: Hook, shared: Shared) -> Result<()> {
    let kept = kept(file);
    match read(file)? {
        Found::Missing => replace(
            file,
            stub::whole(hook, exists(&kept)).as_bytes(),
            0o755,
            shared,
        ),
        Found::Ours(text) => {
            let wanted = stub::whole(hook, exists(&kept));
            let runs = std::fs::metadata(file).is_ok_and(|file| file.mode() & 0o111 != 0);
            if runs && text == wanted.as_bytes() {
                Ok(())
            } else {
                replace(file, wanted.as_bytes(), 0o755, shared)
            }
        }
        Found::Shared(before, after) => {
            let mode = std::fs::metadata(file).map_or(0o755, |file| file.mode() & 0o7777);
            // git passes over a hook that no user may execute: a user who may read it may.
            let mode = if mode & 0o111 == 0 {
                mode | (mode & 0o444) >> 2
            } else {
                mode
            };
            let text = [
                before.as_bytes(),
                stub::block(hook, exists(&kept)).as_bytes(),
                after.as_bytes(),
            ]
            .concat();
            replace(file, &text, mode, shared)
        }
        Found::Foreign => {
            let beside = kept.parent().unwrap_or(Path::new("."));
            shared.create_dir_all(beside).context("create", beside)?;
            match std::fs::hard_link(file, &kept) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                // A filesystem without hard links: the hook is missing for an instant.
                Err(_) => std::fs::rename(file, &kept).context("put aside", file)?,
            }
            replace(file, stub::whole(hook, true).as_bytes(), 0o755, shared)
        }
    }
}

/// Removes our blocks and puts the hooks that were there before back; says what could not be.
pub(super) fn uninstall(directory: &Path, shared: Shared) -> Result<Vec<String>> {
    remove_unfinished(directory);
    let mut notes = Vec::new();
    for hook in Hook::ALL {
        forget_moved(&directory.join(hook.name()))?;
        notes.extend(uninstall_one(&directory.join(hook.name()), shared)?);
    }
    mirror(directory)?;
    Ok(notes)
}

/// Says which files with a block of ours stay in a directory that is not git-lane's to write.
pub(super) fn of_others(directory: &Path) -> Vec<String> {
    let files = Hook::ALL.iter().map(|hook| directory.join(hook.name()));
    let ours = files.filter(|file| matches!(read(file), Ok(Found::Ours(_) | Found::Shared(..))));
    ours.map(|file| {
        format!(
            "'{}' stays: others use the directory it is in, too",
            file.display()
        )
    })
    .collect()
}

/// What other tools call a hook they found, beside the one they put in its place: pre-commit runs
/// it, lefthook puts it back.
const MOVED: [&str; 2] = [".legacy", ".old"];

/// Removes a file of ours that another tool has moved, and would run or put back; what it took the
/// place of gets its name then, as if git-lane had never been there.
fn forget_moved(file: &Path) -> Result<()> {
    for suffix in MOVED {
        let moved = with_end(file, suffix);
        if !matches!(read(&moved)?, Found::Ours(_)) {
            continue;
        }
        match matches!(read(file)?, Found::Foreign)
            && exists(&kept(file))
            && !same(file, &kept(file))
        {
            true => std::fs::rename(kept(file), &moved).context("put back", &moved)?,
            false => std::fs::remove_file(&moved).context("remove", &moved)?,
        }
    }
    Ok(())
}

fn uninstall_one(file: &Path, shared: Shared) -> Result<Option<String>> {
    let kept = kept(file);
    let stays = |what: &str| Ok(Some(format!("'{}' stays: {what}", kept.display())));
    match (read(file)?, exists(&kept)) {
        (Found::Ours(_) | Found::Missing, true) => std::fs::rename(&kept, file)
            .context("put back", file)
            .map(|()| None),
        (Found::Ours(_), false) => std::fs::remove_file(file)
            .context("remove", file)
            .map(|()| None),
        (Found::Shared(before, after), kept) => {
            let mode = std::fs::metadata(file).map_or(0o755, |file| file.mode() & 0o7777);
            replace(
                file,
                &[before.as_bytes(), after.as_bytes()].concat(),
                mode,
                shared,
            )?;
            if kept {
                stays("others have added to the hook that took its place")
            } else {
                Ok(None)
            }
        }
        // An install was interrupted before it took effect.
        (Found::Foreign, true) if same(file, &kept) => std::fs::remove_file(&kept)
            .context("remove", &kept)
            .map(|()| None),
        (Found::Foreign, true) => stays("another tool has put its own hook in its place"),
        (Found::Foreign | Found::Missing, false) => Ok(None),
    }
}

fn same(a: &Path, b: &Path) -> bool {
    FileId::of_name(a).is_some_and(|id| FileId::of_name(b) == Some(id))
}

/// Puts a new file in the place of `file` in one step.
fn replace(file: &Path, text: &[u8], mode: u32, shared: Shared) -> Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(directory)
        .context("write in", directory)?;
    new.write_all(text).context("write", new.path())?;
    new.as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode))
        .context("set the mode of", new.path())?;
    shared.adjust(new.path()).context("share", new.path())?;
    new.persist(file)
        .map_err(|error| error.error)
        .context("replace", file)
        .map(drop)
}
