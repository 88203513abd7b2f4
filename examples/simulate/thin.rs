//! More data than pixels: what falls into one column of pixels becomes the few marks that look the same. Comes in: points
//! and spans in pixels; leaves: runs, corners, shares.

/// Dots of one column that touch one another, or nearly: from `top` to `bottom`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) x: i32,
    pub(crate) top: i32,
    pub(crate) bottom: i32,
}

/// Dots as runs, at most `budget` of them or one a column: the fewer are allowed, the wider the gaps that are bridged. In
/// the end a run reaches from a column's least to its most.
pub(crate) fn runs(mut dots: Vec<(i32, i32)>, budget: usize) -> Vec<Run> {
    dots.sort_unstable();
    dots.dedup();
    let gaps = (0..12).map(|power| 1 << power).chain([i32::MAX]);
    let mut thinner = gaps.map(|gap| bridge(&dots, gap));
    let exact = thinner.next().unwrap_or_default();
    if exact.len() <= budget {
        return exact;
    }
    thinner.find(|runs| runs.len() <= budget).unwrap_or_else(|| bridge(&dots, i32::MAX))
}

/// Joins dots of a column that are at most `gap` apart.
fn bridge(dots: &[(i32, i32)], gap: i32) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (x, y) in dots.iter().copied() {
        match runs.last_mut().filter(|run| run.x == x && y - run.bottom <= gap) {
            Some(run) => run.bottom = y,
            None => runs.push(Run { x, top: y, bottom: y }),
        }
    }
    runs
}

/// A line that looks the same with fewer corners: of each column its first and last point, and its highest and lowest where
/// they are others; of what is level only the ends.
pub(crate) fn corners(line: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let mut corners = Vec::new();
    for column in line.chunk_by(|a, b| a.0 == b.0) {
        let highest = (0..column.len()).min_by_key(|at| column[*at].1).unwrap_or_default();
        let lowest = (0..column.len()).max_by_key(|at| column[*at].1).unwrap_or_default();
        let mut kept = [0, highest.min(lowest), highest.max(lowest), column.len() - 1];
        kept.sort_unstable();
        for at in kept {
            bend(&mut corners, column[at]);
        }
    }
    corners
}

fn bend(corners: &mut Vec<(i32, i32)>, next: (i32, i32)) {
    if corners.last() == Some(&next) {
        return;
    }
    if let [.., before, last] = corners[..]
        && (before.1, last.1) == (next.1, next.1)
    {
        corners.pop();
    }
    corners.push(next);
}

/// How much of each of `columns` the spans cover, 0…1; their ends count in columns. Spans outside fall away.
pub(crate) fn shares(spans: impl IntoIterator<Item = (f64, f64)>, columns: usize) -> Vec<f64> {
    let mut shares = vec![0.0; columns];
    for (from, to) in spans {
        let (from, to) = (from.max(0.0), to.min(columns as f64));
        let touched = shares.iter_mut().enumerate().take(to.ceil() as usize).skip(from as usize);
        for (column, share) in touched {
            let part = to.min(column as f64 + 1.0) - from.max(column as f64);
            *share = f64::min(*share + part.max(0.0), 1.0);
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(x: i32, top: i32, bottom: i32) -> Run {
        Run { x, top, bottom }
    }

    #[test]
    fn dots_that_touch_are_one_run() {
        let dots = vec![(5, 10), (4, 7), (5, 11), (5, 14), (5, 11)];
        assert_eq!(runs(dots, 9), [run(4, 7, 7), run(5, 10, 11), run(5, 14, 14)]);
    }

    #[test]
    fn a_column_of_too_many_runs_becomes_its_least_and_most() {
        let dots: Vec<_> = (0..100).map(|i| (i / 50, i * i)).collect();
        assert_eq!(runs(dots, 1), [run(0, 0, 49 * 49), run(1, 50 * 50, 99 * 99)]);
    }

    #[test]
    fn a_level_line_is_two_points() {
        let line: Vec<_> = (0..1000).map(|x| (x / 3, 40)).collect();
        assert_eq!(corners(&line), [(0, 40), (333, 40)]);
        assert_eq!(
            corners(&[(0, 4), (0, 9), (0, 1), (0, 5), (1, 5)]),
            [(0, 4), (0, 9), (0, 1), (0, 5), (1, 5)]
        );
    }

    #[test]
    fn a_short_span_counts_for_as_little_as_it_covers() {
        assert_eq!(shares([(0.25, 0.5), (1.75, 3.5), (3.0, 9.0)], 4), [0.25, 0.25, 1.0, 1.0]);
        assert_eq!(shares([(-3.0, -1.0), (4.0, 5.0)], 2), [0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn no_dot_is_uncovered_and_no_run_ends_where_there_is_none(
            dots in prop::collection::vec((0_i32..20, 0_i32..300), 1..300),
            budget in 1_usize..200,
        ) {
            let runs = runs(dots.clone(), budget);
            prop_assert!(runs.len() <= budget.max(20));
            for (x, y) in &dots {
                prop_assert!(runs.iter().any(|run| run.x == *x && run.top <= *y && *y <= run.bottom));
            }
            for run in runs {
                prop_assert!(dots.contains(&(run.x, run.top)) && dots.contains(&(run.x, run.bottom)));
            }
        }

        #[test]
        fn a_thin_line_reaches_as_high_and_low_in_each_column(
            mut line in prop::collection::vec((0_i32..10, 0_i32..100), 1..200),
        ) {
            line.sort_by_key(|(x, _)| *x);
            let thin = corners(&line);
            prop_assert!(thin.len() <= 40);
            prop_assert!((thin.first(), thin.last()) == (line.first(), line.last()));
            for x in 0..10 {
                let heights = |line: &[(i32, i32)]| -> Vec<i32> {
                    line.iter().filter(|point| point.0 == x).map(|point| point.1).collect()
                };
                let (all, kept) = (heights(&line), heights(&thin));
                // A column inside a level stretch may have lost its points; the line passes through it all the same.
                prop_assert!(kept.is_empty() || (all.iter().min(), all.iter().max()) == (kept.iter().min(), kept.iter().max()));
            }
        }
    }
}
