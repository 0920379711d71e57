//! How long a removed lane waits in the trash, and which of them are due; pure.

use crate::domain::trash_entry::{Entry, Promise};

/// What the policy of today keeps. Its user may shorten what was promised; no other file may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Its values.
    pub now: Promise,
    /// Whether `trash.days` is what a file of the user's own says.
    pub own_days: bool,
    /// The same for `trash.size`.
    pub own_bytes: bool,
}

impl Retention {
    /// What holds for one entry.
    fn of(&self, entry: &Entry) -> Promise {
        let (now, then) = (self.now, entry.promise.unwrap_or(self.now));
        Promise {
            days: if self.own_days {
                now.days
            } else {
                now.days.max(then.days)
            },
            bytes: if self.own_bytes {
                now.bytes
            } else {
                now.bytes.max(then.bytes)
            },
        }
    }

    /// When an entry goes because of its age, in seconds since 1970 UTC.
    pub fn expires(&self, entry: &Entry) -> i64 {
        entry
            .removed
            .saturating_add(i64::from(self.of(entry).days) * 86_400)
    }
}

/// Why an entry's time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// It has waited longer than `trash.days`.
    Age,
    /// Everything in the trash is larger than `trash.size`, and this is among the oldest.
    Size,
}

/// Who wants room in the trash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A finish, in passing: work that is not known to be in its base stays, and is named.
    Passing,
    /// `git lane trash --expire` and `git lane prune`: whatever is due goes.
    Asked,
}

/// For how many seconds a removed lane is safe from [`Expiry::Size`]: a user who has just been told
/// how to bring it back must be able to.
const FRESH: i64 = 3600;

/// Which of `entries` (with their sizes where known) are due, oldest first.
pub fn expired(
    entries: &[(Entry, Option<u64>)],
    now: i64,
    retention: &Retention,
) -> Vec<(usize, Expiry)> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    // An id holds the time of a clock that may have been wrong.
    order.sort_by_key(|at| (entries[*at].0.removed, &entries[*at].0.id));
    let mut total: u64 = entries.iter().filter_map(|(_, bytes)| *bytes).sum();
    let mut gone = Vec::new();
    for at in order {
        let (entry, bytes) = &entries[at];
        let limit = retention.of(entry).bytes;
        let why = if now >= retention.expires(entry) {
            Expiry::Age
        } else if total > limit
            && bytes.is_some_and(|bytes| bytes > 0)
            && now.saturating_sub(entry.removed) >= FRESH
        {
            Expiry::Size
        } else {
            continue;
        };
        total -= bytes.unwrap_or(0);
        gone.push((at, why));
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trash_entry::tests::entry;

    #[test]
    fn age_takes_the_old_and_size_takes_the_oldest_until_the_rest_fits() {
        let day = 86_400;
        let held = |sizes: [Option<u64>; 4]| {
            let made = |(at, size)| (entry(&format!("{at}"), "x", at as i64 * day), size);
            sizes.into_iter().enumerate().map(made).collect::<Vec<_>>()
        };
        for (sizes, now, days, limit, gone) in [
            ([Some(5), Some(5), Some(5), Some(5)], 3, 14, 20, vec![]),
            (
                [Some(5), Some(5), Some(5), Some(5)],
                14,
                14,
                20,
                vec![(0, Expiry::Age)],
            ),
            (
                [Some(5), Some(5), Some(5), Some(5)],
                3,
                14,
                19,
                vec![(0, Expiry::Size)],
            ),
            (
                [Some(5), Some(5), Some(5), Some(5)],
                14,
                14,
                9,
                vec![(0, Expiry::Age), (1, Expiry::Size), (2, Expiry::Size)],
            ),
            (
                [None, Some(0), Some(5), Some(5)],
                3,
                14,
                7,
                vec![(2, Expiry::Size)],
            ),
            // The one just removed stays, however large it is.
            ([None, None, None, Some(5)], 3, 14, 1, vec![]),
            (
                [None, None, None, Some(5)],
                4,
                14,
                1,
                vec![(3, Expiry::Size)],
            ),
            (
                [Some(5), None, None, None],
                100,
                0,
                0,
                vec![
                    (0, Expiry::Age),
                    (1, Expiry::Age),
                    (2, Expiry::Age),
                    (3, Expiry::Age),
                ],
            ),
        ] {
            let retention = Retention {
                now: Promise { days, bytes: limit },
                own_days: false,
                own_bytes: false,
            };
            assert_eq!(expired(&held(sizes), now * day, &retention), gone);
        }
    }

    #[test]
    fn a_promise_is_kept_unless_the_user_says_otherwise() {
        let promised = |days, bytes| Entry {
            promise: Some(Promise { days, bytes }),
            ..entry("1", "x", 0)
        };
        let day = 86_400;
        for (entry, now, own, days, bytes) in [
            (promised(14, 100), (3, 1), false, 14, 100),
            (promised(14, 100), (30, 200), false, 30, 200),
            (promised(14, 100), (3, 1), true, 3, 1),
            (entry("1", "x", 0), (3, 1), false, 3, 1),
        ] {
            let now = Promise {
                days: now.0,
                bytes: now.1,
            };
            let retention = Retention {
                now,
                own_days: own,
                own_bytes: own,
            };
            assert_eq!(retention.expires(&entry), days * day);
            assert_eq!(retention.of(&entry).bytes, bytes);
        }
    }
}
