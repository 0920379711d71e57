//! Would this lane land as it is committed, and would the gate let it?

use super::Args;
use crate::commands::coded::Coded;
use crate::commands::gate_watch::GateWatch;
use crate::commands::{find_lane, gate_approval, heal, landing_base, open_for_change};
use crate::domain::finish::{self, Request};
use crate::domain::lane::RefName;
use crate::domain::name::{BranchName, LaneName};
use crate::error::Result;
use crate::operations::gate::{Judge, Wish};
use crate::operations::land::outcome::{Asked, Outcome, Wording, word};
use crate::operations::land::{self, Wanted, landing_facts};
use crate::ui::{Cell, Page, Report, Style, Ui};

/// What was found.
struct Checked {
    lane: LaneName,
    base: BranchName,
    outcome: Outcome,
    /// What the gate has said; `None` where it was not asked, or there is none.
    gate: Option<Vec<String>>,
    asked: bool,
}

/// Computes the landing of the one lane, and runs its gate where that is asked for.
pub(super) fn run(args: &Args, ui: &Ui) -> Result<()> {
    let repository = open_for_change(ui)?;
    let policy = repository.policy()?;
    let lane = find_lane(&repository, args.names.first().map(String::as_str))?;
    let worktrees = repository.worktrees()?;
    let request = Request {
        strategy: args.strategy.unwrap_or(policy.strategy),
        landing: true,
        force: false,
        keep: false,
        commit: false,
    };
    let base = landing_base(&repository, &lane, args.into.as_deref(), true)?;
    let mut facts = landing_facts::gather(&repository, &worktrees, &lane, base.as_ref())?;
    let plan = finish::plan(&facts, &request)?;
    let outcome = match &plan.landing {
        Some(landing) => Some(land::preview(&repository, &facts, landing, true)?),
        None => plan.integrated.map(Outcome::Integrated),
    };
    let (Some(base), Some(outcome)) = (base, outcome) else {
        return Ok(());
    };
    let mut checked = Checked {
        lane: lane.name.clone(),
        base,
        outcome,
        gate: None,
        asked: args.gate,
    };
    if args.gate && matches!(checked.outcome, Outcome::Landed(_)) {
        let wish = Wish {
            again: args.again,
            ..Wish::default()
        };
        let watch = GateWatch::new(ui);
        let judge = Judge {
            wish: &wish,
            watch: &watch,
        };
        if let Some(tip) = repository.branch_tip(&checked.base)? {
            let of = gate_approval::For {
                lane: Some(lane.name.as_str()),
                base: &checked.base.to_string(),
                into: args.into.is_some(),
            };
            let gate = judge.gate(&repository, tip, facts.tip)?;
            gate_approval::ensure_approved(ui, &gate, of)?;
        }
        let wording = Wording {
            policy: &policy,
            message: None,
            edit: false,
            no_verify: true,
        };
        let heal = heal(ui);
        let asked = Asked {
            judge: &judge,
            heal: &heal,
            push: None,
            resolver: None,
        };
        let wanted = Wanted {
            facts: &mut facts,
            request: &request,
            wording: &wording,
        };
        if let Some((gate, failure)) = land::rehearse(&repository, wanted, asked)? {
            failure.map_or(Ok(()), Err)?;
            checked.gate = Some(gate.lines());
        }
    }
    ui.report(&checked);
    Ok(())
}

impl serde::Serialize for Checked {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (strategy, commits, integrated) = match &self.outcome {
            Outcome::Landed(landed) => (Some(landed.strategy), Some(landed.commits), None),
            Outcome::Integrated(proof) => (None, None, Some(Coded::from(proof))),
        };
        serde_json::json!({
            "lane": self.lane,
            "base": RefName::from(&self.base),
            "strategy": strategy,
            "commits": commits,
            "integrated": integrated,
            "gate": self.gate,
        })
        .serialize(serializer)
    }
}

impl Report for Checked {
    fn text(&self, page: &mut Page) {
        let Checked { lane, base, .. } = self;
        let landed = match &self.outcome {
            Outcome::Integrated(proof) => {
                page.line(format!(
                    "nothing to land: lane '{lane}' is in '{base}' ({proof})"
                ));
                return;
            }
            Outcome::Landed(landed) => landed,
        };
        let commits = match landed.commits {
            1 => "1 commit".to_owned(),
            several => format!("{several} commits"),
        };
        let strategy = word(landed.strategy);
        let text = format!("lane '{lane}' would land on '{base}' ({strategy}, {commits})");
        page.line(Cell::new(text, Style::Good));
        match &self.gate {
            Some(_) => page.line("the gate succeeds for what would land"),
            None if self.asked => page.line(format!("'{base}' has no gate")),
            None => page,
        };
    }
}
