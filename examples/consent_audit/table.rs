//! What was heard, as a table.

use super::{
    cli::Arguments,
    evening::{Artefacts, Evening},
};
use std::fmt::Write as _;
use tertulia::sim::{SILENCE_DBFS, Tally};

/// One row an evening, one column an artefact.
pub(super) fn evenings(rows: &[(Evening, Artefacts)], arguments: &Arguments) -> String {
    let mut out = format!(
        "A voice of -15 dBFS that speaks only where it may not be kept; in-band FEC, deep redundancy, 20 % loss, jitter.\n\
         Loudest 20 ms of it in dBFS, the loudest of {} evenings each with edges at random samples:\n\n\
         {:<20}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>12}{:>9}\n",
        arguments.times, "", "track", "FEC", "DRED", "PLC", "clip", "mix", "export", "transcript", "armed"
    );
    for (evening, artefacts) in rows {
        let _ = write!(out, "{:<20}", evening.name());
        let track = artefacts.track_dbfs().map(|level| (9, level));
        let [clip, mix, export, transcript, armed] = artefacts.others_dbfs();
        let others = [(9, clip), (9, mix), (9, export), (12, transcript), (9, armed)];
        track.into_iter().chain(others).for_each(|(width, cell)| {
            let _ = write!(out, "{:>width$}", level(cell));
        });
        out.push('\n');
    }
    out + "\n"
}

pub(super) fn schedules(tally: &Tally) -> String {
    let Tally { schedules, acts, spans, packets, kept, kept_samples, leaked_samples } = tally;
    format!(
        "{schedules} random schedules ({acts} decisions, {packets} packets): {kept} packets kept, all and only those the \
         oracle keeps;\n{spans} spans of consent equal to the sample; {leaked_samples} of {kept_samples} kept samples \
         leaked\n"
    )
}

pub(super) fn verdict(worst_dbfs: f64, limit_dbfs: f64) -> String {
    let says = if worst_dbfs < limit_dbfs { "nothing leaks" } else { "A VOICE LEAKS" };
    format!("{} dBFS, below {limit_dbfs} is silent: {says}", level(worst_dbfs))
}

fn level(dbfs: f64) -> String {
    if dbfs <= SILENCE_DBFS { "none".into() } else { format!("{dbfs:.1}") }
}
