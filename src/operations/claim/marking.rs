//! Records how far a lane is, by its owner's word.
//!
//! Called by `commands/mark`.

use super::tell;
use crate::domain::claim::Standing;
use crate::domain::event::What;
use crate::domain::lane::Lane;
use crate::domain::lane_status::Mark;
use crate::domain::name::LaneName;
use crate::domain::retire::raced;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::repository::claims;
use crate::repository::metadata::Edit;

/// Records how far a lane is, by the word of `asker`.
///
/// # Errors
/// Code `claimed` where another holder has the lane; code `lane-owned` where none has it and
/// its record names another owner.
pub fn mark(repository: &Repository, name: &LaneName, asker: &str, mark: &Mark) -> Result<Lane> {
    repository.unrecovered.ensure_lane_is_whole(name)?;
    let mut edit = Edit::begin(repository.lane_dir())?;
    let lane = edit
        .records()
        .find(name)
        .cloned()
        .ok_or_else(|| raced(name))?;
    claims::ensure_not_anothers(repository, &lane)?;
    let is_holder = claims::standing(repository, &lane) == Standing::Own;
    let owner = lane.owner.as_deref().filter(|owner| *owner != asker);
    if let Some(owner) = owner.filter(|_| !is_holder) {
        return Err(not_the_owner(&lane, owner, asker, mark));
    }
    edit.set_mark(name, mark)?;
    edit.commit()?;
    let note = match &mark.message {
        Some(message) => format!("{}: {message}", mark.status),
        None => mark.status.to_string(),
    };
    tell(repository, What::Mark, &lane, Some(note));
    Ok(Lane {
        mark: Some(mark.clone()),
        ..lane
    })
}

fn not_the_owner(lane: &Lane, owner: &str, asker: &str, mark: &Mark) -> Error {
    let name = &lane.name;
    let message = mark.message.as_ref();
    let message = message.map_or_else(String::new, |text| format!(" -m {}", quote(text)));
    Error::refused(format!(
        "lane '{name}' is owned by '{owner}', and how far it is is their word: you are '{asker}'"
    ))
    .with_code(Code::LaneOwned)
    .hint(format!(
        "say that you speak for them with: git lane mark {} {}{} --owner={}",
        quote(name),
        mark.status,
        message,
        quote(owner)
    ))
    .details(serde_json::json!({ "lane": name, "owner": owner }))
}
