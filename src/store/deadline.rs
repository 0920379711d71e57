//! One bounded wait for many things: who heals what ten dead processes left does not wait ten times
//! for one lock.

use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    /// When this thread has waited long enough, where its command has said so.
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Does `work`, in which no function waits for others any more once `limit` has passed; each is
/// still tried once.
pub fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    struct Before(Option<Instant>);
    impl Drop for Before {
        fn drop(&mut self) {
            UNTIL.set(self.0);
        }
    }
    let until = Instant::now() + limit;
    let before = UNTIL.get();
    let _before = Before(before);
    UNTIL.set(Some(before.map_or(until, |before| before.min(until))));
    work()
}

/// Whether the time to wait for others is over.
pub fn is_spent() -> bool {
    UNTIL.get().is_some_and(|until| Instant::now() >= until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_all_the_work_and_ends_with_it() {
        assert!(!is_spent());
        within(Duration::ZERO, || {
            assert!(is_spent());
            within(Duration::from_secs(60), || {
                assert!(is_spent(), "what is done inside gets no time of its own")
            });
        });
        assert!(!is_spent());
        within(Duration::from_secs(60), || assert!(!is_spent()));
    }
}
