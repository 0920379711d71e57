//! A signal for git-lane while a command runs: the command's whole group hears of it.

use std::time::Duration;

use super::{Site, lives};
use crate::support::wait_until;

#[test]
fn the_first_signal_asks_the_group_to_end() {
    for (name, number) in [("TERM", 15), ("HUP", 1)] {
        let site = Site::new();
        let another = site.start_another(
            "sleep 60 & echo $! >pid
             trap 'echo asked >>asked; exit 0' TERM; echo >ready; while :; do sleep 0.05; done",
            |_| {},
        );
        wait_until(|| site.path("ready").exists());
        another.signal(name);
        let (code, took) = another.ended();
        assert_eq!(code, 128 + number, "{name}");
        assert!(took < Duration::from_secs(4), "{name}: {took:?}");
        assert!(site.text("outcome").starts_with("Interrupted"), "{name}");
        assert_eq!(site.text("asked"), "asked\n", "{name}");
        assert!(!lives(site.number("pid")) && !site.path("record").exists());
    }
}

#[test]
fn the_second_ends_everything_at_once() {
    let site = Site::new();
    let another = site.start_another(
        "trap '' TERM; sleep 600 & echo $! >pid; echo >ready; while :; do sleep 0.05; done",
        |_| {},
    );
    wait_until(|| site.path("ready").exists());
    another.signal("TERM");
    std::thread::sleep(Duration::from_millis(600));
    assert!(lives(site.number("pid")) && lives(another.0.id().cast_signed()));
    another.signal("TERM");
    let (code, took) = another.ended();
    assert_eq!(code, 128 + 15);
    assert!(took < Duration::from_secs(2), "{took:?}");
    wait_until(|| !lives(site.number("pid")));
    assert!(!site.path("outcome").exists());
}

#[test]
fn one_that_does_not_listen_is_killed_after_a_while() {
    let site = Site::new();
    let another = site.start_another(
        "trap '' TERM; echo $$ >pid; echo >ready; while :; do sleep 0.05; done",
        |_| {},
    );
    wait_until(|| site.path("ready").exists());
    another.signal("TERM");
    let (code, took) = another.ended();
    assert_eq!(code, 128 + 15);
    assert!(
        took > Duration::from_secs(4) && took < Duration::from_secs(9),
        "{took:?}"
    );
    assert!(site.text("outcome").starts_with("Interrupted"));
    assert!(!lives(site.number("pid")));
}
