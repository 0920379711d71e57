//! Reads what the configuration asks of merges into a base, and does the parts of it that git has
//! commands for.

use std::path::Path;

use bstr::{BString, ByteSlice};

use super::verdict::Place;
use crate::domain::lane::ObjectId;
use crate::domain::merge_policy::{FastForward, LOG_ENTRIES, MergePolicy};
use crate::domain::name::BranchName;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::git::Invocation;
use crate::store::git::version::MERGE_OPTIONS;

/// What `git merge` into `base` would be asked for in `directory`; the options of the base go
/// before the general settings.
pub(in crate::operations) fn read(
    repository: &Repository,
    directory: &Path,
    base: &BranchName,
) -> Result<MergePolicy> {
    let own = repository.as_at(directory)?;
    let config = own.config_snapshot();
    let text = |key: &str| {
        config
            .string(key)
            .map(|value| value.to_str_lossy().into_owned())
    };
    let truth = |key: &str| config.try_boolean(key).ok().flatten();
    let mut policy = MergePolicy {
        verify_signatures: truth("merge.verifySignatures") == Some(true),
        sign: (truth("commit.gpgSign") == Some(true)).then(String::new),
        ..MergePolicy::default()
    };
    let ff = match text("merge.ff").as_deref() {
        Some("only") => FastForward::Only,
        Some(_) if truth("merge.ff") == Some(false) => FastForward::Never,
        _ => FastForward::Allowed,
    };
    policy.fast_forward = (ff, "merge.ff".into());
    for key in ["merge.summary", "merge.log"] {
        let Some(value) = text(key) else { continue };
        policy.log = match value.parse() {
            Ok(entries) => entries,
            Err(_) if truth(key) == Some(true) => LOG_ENTRIES,
            Err(_) => 0,
        };
    }
    let key = format!("branch.{base}.mergeOptions");
    if let Some(line) = text(&key) {
        policy.add(&key, &line)?;
    }
    if policy.strategies.is_empty()
        && let Some(names) = text("pull.twohead")
    {
        policy.strategies.extend(
            names
                .split_whitespace()
                .map(|name| (name.to_owned(), "pull.twohead".to_owned())),
        );
    }
    if !policy.options.is_empty() {
        // Older gits merge with options in a worktree only.
        let git = &repository.git;
        git.ensure_at_least(MERGE_OPTIONS, &format!("the -X that {key} asks for"))
            .map_err(|error| error.hint("or merge by hand"))?;
    }
    Ok(policy)
}

/// Refuses a commit without a signature that `git merge --verify-signatures` takes.
pub(in crate::operations) fn verify(place: &Place<'_>, commit: ObjectId) -> Result<()> {
    if !place.policy.verify_signatures {
        return Ok(());
    }
    // The commit may have been made just now.
    let git = || {
        place
            .scratch
            .contain(place.repository.git_as_user_at(&place.directory))
    };
    let verified = git().verify_commit(commit)?;
    let grade = git().signature_grade(commit)?;
    // Where no level of trust is configured, a merge asks for more than `verify-commit` does.
    let level = place
        .repository
        .config_at(&place.directory, "gpg.minTrustLevel")?;
    let trusted = grade == "G" || grade == "U" && level.is_some();
    if verified && trusted {
        return Ok(());
    }
    let what = match grade.as_str() {
        "N" => "has no signature",
        "B" => "has a bad signature",
        "U" => "has a signature that is not trusted",
        _ => "has no signature that can be verified",
    };
    let short = commit.to_hex_with_len(10).to_string();
    let hint = match grade.as_str() {
        "N" if commit == place.tip => sign_it(place),
        "N" => "have replayed commits signed: git config commit.gpgSign true".to_owned(),
        _ => format!("see what git says: git verify-commit {}", quote(&short)),
    };
    let error = Error::refused(format!(
        "'{}' takes signed commits only, and commit {short} {what}",
        place.base
    ));
    Err(error.with_code(Code::Unsigned).hint(hint))
}

/// What signs the tip of the lane, where that is checked out.
fn sign_it(place: &Place<'_>) -> String {
    match place.lane.1 {
        Some(site) => format!(
            "sign it in the lane: git -C {} commit --amend --no-edit --gpg-sign",
            quote(site.path.display())
        ),
        None => "check its branch out and sign its last commit".to_owned(),
    }
}

/// The message with what `merge.log` and `merge.branchdesc` have git add to it.
pub(in crate::operations) fn with_log(
    place: &Place<'_>,
    text: String,
    branch: Option<&BranchName>,
) -> Result<String> {
    if place.policy.log == 0 {
        return Ok(text);
    }
    let what = match branch {
        Some(branch) => format!("branch '{branch}' of ."),
        None => format!("commit '{}' of .", place.tip),
    };
    let git = on_base(place.repository, place.scratch, place.base)?;
    let merged = format!("{}\t\t{what}\n", place.tip);
    git.fmt_merge_msg(&text, place.policy.log, merged)
}

/// A git whose HEAD is the base, whether or not a worktree has it checked out.
fn on_base(repository: &Repository, scratch: &Scratch, base: &BranchName) -> Result<Invocation> {
    let directory = scratch.path("head");
    repository
        .shared()
        .create_dir_all(&directory)
        .context("create", &directory)?;
    let mut common = gix::path::into_bstr(repository.common_dir())
        .map_err(|error| Error::environment("cannot name the repository").caused_by(error))?
        .into_owned();
    common.push(b'\n');
    for (name, text) in [
        ("HEAD", [b"ref: ", base.to_ref().as_slice(), b"\n"].concat()),
        ("commondir", common.into()),
    ] {
        let file = directory.join(name);
        repository
            .shared()
            .write(&file, text)
            .context("write", &file)?;
    }
    Ok(repository
        .git
        .at(repository.common_dir())
        .env("GIT_DIR", &directory))
}

/// The message with the trailer of `--signoff`.
pub(in crate::operations) fn with_signoff(place: &Place<'_>, message: BString) -> Result<BString> {
    if !place.policy.signoff {
        return Ok(message);
    }
    let git = || place.repository.git_as_user_at(&place.directory);
    let who = git().committer()?;
    let who = who.rfind('>').map_or(who.as_str(), |end| &who[..=end]);
    let trailer = format!("Signed-off-by: {who}");
    git().add_trailer(message, &trailer)
}
