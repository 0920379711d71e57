//! What a lane is and what may be done with it: pure decisions about plain facts.
//!
//! Nothing here touches a disk, a process, a clock or git. Every rule of the product can be read
//! and tested in this folder without a repository.
//!
//! Everything above calls it.

pub mod adopt;
pub mod base_fit;
pub mod branch_renames;
pub mod carried;
pub mod claim;
pub mod conflict_markers;
pub mod destination;
pub mod doctor;
pub mod duration;
pub mod event;
pub mod finish;
pub mod footprint;
pub mod forecast;
pub mod gate;
pub mod guard;
pub mod installation;
pub mod integration;
pub mod landing_summary;
pub mod lane;
pub mod lane_status;
pub mod losses;
pub mod merge_policy;
pub mod message;
pub mod name;
pub mod name_rule;
pub mod obstacle;
pub mod operation_log;
pub mod overview;
pub mod parameter;
pub mod prune_verdict;
pub mod push_verdict;
pub mod record_change;
pub mod relation;
pub mod relocate;
pub mod reproduction;
pub mod resolution;
pub mod retire;
pub mod shell_word;
pub mod start;
pub mod status;
pub mod submodule;
pub mod sync;
pub mod task_file;
pub mod trash_entry;
pub mod trash_expiry;
pub mod try_lane;
pub mod undo;
pub mod waiting;
