//! Whether a lane that is there already is the one that was asked for, and the asker's.

use super::{Refusal, Request};
use crate::domain::claim::Standing;
use crate::domain::lane::Lane;
use crate::domain::parameter::Parameter;

/// An existing lane must be what was asked for, as far as anything was.
pub(super) fn agree(request: &Request, lane: &Lane, standing: &Standing) -> Result<(), Refusal> {
    let differs = |what, has: String| {
        Err(Refusal::Differs {
            name: lane.name.clone(),
            what,
            has,
        })
    };
    let explicit = &request.explicit;
    // A read-only lane has no branch: this is the reason then.
    if explicit.read_only && !lane.read_only {
        return differs("--read-only", "nothing against commits".into());
    }
    if let Some(branch) = &explicit.branch
        && *branch != lane.branch
    {
        return differs(
            "--branch",
            lane.branch
                .as_ref()
                .map_or("a detached HEAD".into(), |b| format!("branch '{b}'")),
        );
    }
    if let Some(base) = &explicit.base
        && (base.name != lane.base || (base.name.is_none() && base.commit != lane.fork_point))
    {
        return differs(
            "--base",
            lane.base
                .as_ref()
                .map_or("no base branch".into(), |base| format!("base '{base}'")),
        );
    }
    if let Some(path) = &explicit.path
        && *path != lane.worktree
    {
        return differs("--path", format!("path '{}'", lane.worktree.display()));
    }
    ensure_ones_own(request, lane, standing)?;
    if explicit.task.is_some() && explicit.task != lane.task {
        return differs(
            "--task",
            lane.task
                .as_ref()
                .map_or("no task".into(), |task| format!("task '{task}'")),
        );
    }
    match &explicit.parameters {
        Some(asked) if !are_same(asked, &lane.parameters) => {
            differs("--set", told(&lane.parameters))
        }
        _ => Ok(()),
    }
}

/// The order in which parameters were given says nothing.
fn are_same(some: &[Parameter], others: &[Parameter]) -> bool {
    some.len() == others.len() && some.iter().all(|parameter| others.contains(parameter))
}

fn told(parameters: &[Parameter]) -> String {
    let all: Vec<String> = parameters.iter().map(ToString::to_string).collect();
    match all.is_empty() {
        true => "no parameters".into(),
        false => format!("parameters '{}'", all.join(" ")),
    }
}

/// Whose a lane is, by its claim first and then by its record.
fn ensure_ones_own(request: &Request, lane: &Lane, standing: &Standing) -> Result<(), Refusal> {
    let owner = lane.owner.as_ref();
    let is_owner = owner.is_none() || owner == request.owner.as_ref();
    match (standing, &lane.claim) {
        // A record says who is to work there, the claim who does.
        (Standing::Own, _) => return Ok(()),
        (Standing::Others, Some(claim)) => {
            // Two of one name are told apart by who takes the claim, not by who looks.
            let is_namesake = request.owner.as_ref() == Some(&claim.holder) && is_owner;
            if request.claim.is_some() || !is_namesake {
                return Err(Refusal::Claimed(
                    Box::new(lane.clone()),
                    Box::new(claim.clone()),
                ));
            }
        }
        _ => {}
    }
    if request.explicit.owner.is_some() && request.explicit.owner != lane.owner {
        return Err(Refusal::Differs {
            name: lane.name.clone(),
            what: "--owner",
            has: owner.map_or("no owner".into(), |owner| format!("owner '{owner}'")),
        });
    }
    match owner.filter(|_| !is_owner) {
        Some(owner) => Err(Refusal::Owned {
            name: lane.name.clone(),
            owner: owner.clone(),
        }),
        None => Ok(()),
    }
}
