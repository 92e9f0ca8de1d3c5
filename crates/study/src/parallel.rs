//! Work over the cores, with a bar where somebody watches.

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

/// Does the same to each item, and keeps their order. On a terminal a bar tells how far it is.
pub(crate) fn each<T: Sync, R: Send>(
    what: &'static str,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let style = ProgressStyle::with_template("{msg:22} {wide_bar} {pos}/{len} {eta}")
        .expect("the template is fixed");
    let bar = ProgressBar::new(items.len() as u64).with_message(what).with_style(style);
    let one = |item: &T| {
        let done = work(item);
        bar.inc(1);
        done
    };
    let done = items.par_iter().map(one).collect();
    bar.finish_and_clear();
    done
}

/// The same for work that can fail: the first failure in the order of the items counts.
pub(crate) fn try_each<T: Sync, R: Send>(
    what: &'static str,
    items: &[T],
    work: impl Fn(&T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    each(what, items, work).into_iter().collect()
}
