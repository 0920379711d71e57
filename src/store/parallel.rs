//! Work on many things by as many threads as there are cores.
//!
//! The engines and the operations call it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many cores there are for this process.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What `work` makes of each item, in their order. Each thread takes the next one that is left, and has
/// a `state` of its own; `None` is what a thread has lost that panicked.
pub fn map<T: Sync, S, R: Send>(
    items: &[T],
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let run = || {
        let (mut state, mut done) = (state(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else {
                return done;
            };
            done.push((at, work(&mut state, item)));
        }
    };
    let mut all: Vec<Option<R>> = items.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores().min(items.len()))
            .map(|_| scope.spawn(run))
            .collect();
        let mut done = run();
        for other in others {
            done.extend(other.join().unwrap_or_default());
        }
        done.into_iter().for_each(|(at, made)| all[at] = Some(made));
    });
    all
}

/// The same of items that `work` uses up.
pub fn consume<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<Option<R>> {
    let items: Vec<_> = items
        .into_iter()
        .map(|item| Mutex::new(Some(item)))
        .collect();
    let take = |(): &mut (), item: &Mutex<Option<T>>| {
        let item = item.lock().ok().and_then(|mut item| item.take());
        item.map(&work)
    };
    let done = map(&items, || (), take);
    done.into_iter().map(Option::flatten).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_done_once_and_the_order_stays() {
        let items: Vec<usize> = (0..100).collect();
        let made = map(
            &items,
            || 0,
            |done, item| {
                *done += 1;
                item * 2
            },
        );
        let expected: Vec<Option<usize>> = items.iter().map(|item| Some(item * 2)).collect();
        assert_eq!(made, expected);
        assert_eq!(map(&[] as &[usize], || (), |(), _| ()), []);
        let boxes = items.into_iter().map(Box::new).collect();
        assert_eq!(consume(boxes, |item: Box<usize>| *item * 2), expected);
    }
}
