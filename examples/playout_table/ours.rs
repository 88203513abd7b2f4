//! Our engine on a trace, with sound: one lane in a room of 10 ms ticks. Packets' fates and the lane's counters come back
//! from the simulation; a [`Score`] leaves. Playout is where the mix has it, so D holds the limiter's 0.5 ms too.

use crate::{
    measure::{Score, Tally},
    trace::Trace,
};
use tertulia::{
    engine::{LaneStats, SampleCounts},
    sim::{Options, OpusFile, VoiceLog, solo},
    time::{Quantum, SampleTime, Samples},
};

/// Runs the engine once, with its one knob at this.
pub(crate) fn ours(trace: &Trace, voice: &OpusFile, ms_per_percent: u32) -> Result<Score, String> {
    let options = Options { ms_per_percent, ..Options::default() };
    let mut diary = Diary::default();
    let log = solo(voice.clone(), &trace.rows, &options, |at, stats| diary.note(at, stats));
    let log = log.map_err(|error| error.to_string())?;
    Ok(diary.tally(&log, trace).score(trace.frames.len(), trace.lost()))
}

/// What the lane's counters did, tick by tick.
#[derive(Debug, Default)]
struct Diary {
    before: SampleCounts,
    /// Sound made for want of packets, between each two packets.
    holes_ms: Vec<f64>,
    hole_ms: f64,
    stretched: Vec<Stretch>,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    until: SampleTime,
    inserted_ms: f64,
    removed_ms: f64,
}

impl Diary {
    fn note(&mut self, at: SampleTime, stats: &LaneStats) {
        let (now, before) = (stats.samples, std::mem::replace(&mut self.before, stats.samples));
        // What of a hole can be heard is told from silence only later; their sum stands.
        let made = |counts: &SampleCounts| counts.concealed + counts.silence;
        self.hole_ms += ms(made(&now), made(&before));
        if now.played + now.fec + now.dred > before.played + before.fec + before.dred {
            self.holes_ms.push(std::mem::take(&mut self.hole_ms));
        }
        let inserted_ms = ms(now.inserted, before.inserted);
        let removed_ms = ms(now.removed, before.removed);
        if inserted_ms + removed_ms > 0.0 {
            let until = at + Quantum::Ms10.samples();
            self.stretched.push(Stretch { until, inserted_ms, removed_ms });
        }
    }

    fn tally(&self, log: &VoiceLog, trace: &Trace) -> Tally {
        let (mut tally, sound) = (Tally::default(), self.before);
        let heard = log.packets.iter().filter_map(|packet| Some(packet.playout_ms? - packet.send_ms));
        heard.for_each(|ms| tally.heard(ms - trace.quickest_ms));
        tally.sounded(ms(sound.played + sound.fec + sound.dred, 0));
        // The first hole is the wait for the first packet.
        for hole_ms in self.holes_ms.iter().skip(1) {
            tally.concealed(*hole_ms);
            tally.end_hole();
        }
        self.tally_stretching(log, trace, &mut tally);
        tally
    }

    /// The trace says of each packet whether it is speech; stretching is counted with the packet that sounds then.
    fn tally_stretching(&self, log: &VoiceLog, trace: &Trace, tally: &mut Tally) {
        let playouts = log.packets.iter().zip(&trace.frames);
        let mut heard =
            playouts.filter_map(|(packet, frame)| Some((packet.playout_ms?, frame.is_speech))).peekable();
        let mut is_speech = true;
        for stretch in &self.stretched {
            let until_ms = stretch.until.as_ms();
            while let Some((_, next)) = heard.next_if(|(ms, _)| *ms <= until_ms) {
                is_speech = next;
            }
            tally.stretched(stretch.inserted_ms, is_speech);
            tally.stretched(-stretch.removed_ms, is_speech);
        }
    }
}

/// What a counter has grown by.
fn ms(now: u64, before: u64) -> f64 {
    Samples::new(now.saturating_sub(before)).as_ms()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{trace::by_hand, voice::Speaker};

    fn on(transits_ms: &[Option<f64>]) -> Score {
        let is_speech: Vec<bool> = (0..transits_ms.len()).map(|at| at % 100 < 70).collect();
        let trace = by_hand(transits_ms, &is_speech);
        let voice = Speaker::read(None, false).unwrap().says(&trace).unwrap();
        ours(&trace, &voice, 100).unwrap()
    }

    #[test]
    fn a_clean_network_costs_the_wait_for_a_tick_and_the_limiter() {
        let score = on(&[Some(33.0); 500]);
        assert_eq!((score.concealed, score.unheard), (0.0, 0.0));
        // 33 ms are heard by the tick at 40 ms.
        assert!((score.delay_ms - 7.5).abs() < 0.01, "{score:?}");
    }

    #[test]
    fn what_is_lost_is_unheard_and_concealed() {
        let transits: Vec<_> = (0..1000).map(|at| (at % 10 != 5).then_some(30.0)).collect();
        let score = on(&transits);
        assert!((score.unheard - 10.0).abs() < 1e-9 && score.dropped() == 0.0, "{score:?}");
        // Some of what is concealed may be worked off in pauses, some stretched instead.
        assert!(score.concealed > 4.0 && score.concealed < 10.5, "{score:?}");
    }
}
