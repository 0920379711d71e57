//! The one place that draws progress: on a terminal only, and only after a quarter of a second.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Ui;

const PATIENCE: Duration = Duration::from_millis(250);

/// Progress of one piece of work; gone from the screen when dropped.
#[derive(Debug)]
pub struct Progress {
    title: String,
    started: Instant,
    visible: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Ui {
    /// Progress under `title`.
    pub fn progress(&self, title: impl Into<String>) -> Progress {
        let visible = !self.json && std::io::stderr().is_terminal();
        Progress {
            title: title.into(),
            started: Instant::now(),
            visible,
            bar: Mutex::new(None),
        }
    }
}

impl Progress {
    /// Says how far the work is; cheap enough to call for every file.
    pub fn set(&self, done: usize, total: usize) {
        if !self.visible || self.started.elapsed() < PATIENCE {
            return;
        }
        let Ok(mut bar) = self.bar.lock() else { return };
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(
                Some(total as u64),
                ProgressDrawTarget::stderr_with_hz(10),
            );
            let style =
                ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(super::escape::line(&self.title));
            bar
        });
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Ok(bar) = self.bar.get_mut()
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }
}
