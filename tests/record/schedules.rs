//! Ten thousand random schedules of consent: tracks hold what they should, to the packet, and no sample that they may not.

use tertulia::sim::{PER_SESSION, Tally, check_schedules};

#[test]
fn spans_equal_the_ledger_and_nothing_leaks_in_ten_thousand_schedules() {
    let (dir, mut tally) = (tempfile::tempdir().unwrap(), Tally::default());
    for seed in 0..10_000_u64.div_ceil(PER_SESSION) {
        tally += check_schedules(seed, dir.path()).unwrap();
    }
    assert!(tally.schedules >= 10_000 && tally.leaked_samples == 0, "{tally:?}");
    // A recorder that keeps nothing, or everything, would be told from one that does right.
    assert!(tally.kept > tally.packets / 10 && tally.kept < tally.packets / 2, "{tally:?}");
}
