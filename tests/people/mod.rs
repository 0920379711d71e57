//! What a person at the prompt sees: the trash, the choice of prune, questions, and what long work shows.

mod pasted;
mod progress;
mod prompts;
mod prune;
mod shells;
mod trash;
mod wording;
