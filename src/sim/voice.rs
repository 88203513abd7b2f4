//! One speaker of a simulated room: when it is in, what has become of its packets, what its lane has counted.

use super::{
    history::Historian,
    playout::{Fate, VoiceLog, VoicePacketLog},
    report::{TargetMs, to_3_places},
    scenario::{Consent, ScenarioSpeaker},
    sender::Sender,
    span::Span,
};
use crate::{
    engine::{LaneStats, Playout},
    packet::opus,
    room::Person,
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};

/// How long a speaker whose last packet was not heard stays on.
const UNHEARD: Samples = Samples::from_ms(1000);

#[derive(Debug)]
pub(super) struct Voice {
    pub(super) id: SpeakerId,
    pub(super) sender: Sender,
    /// As it was last set, in the room or out of it.
    pub(super) gain_db: f32,
    pub(super) pan: f32,
    pub(super) silenced: bool,
    /// Is its deep redundancy used?
    pub(super) dred: bool,
    /// May its track be kept?
    pub(super) consent: bool,
    /// In the room since then.
    pub(super) joined: Option<SampleTime>,
    /// Leaves then; its lane goes with the first tick after it.
    pub(super) leaving: Option<SampleTime>,
    pub(super) muted: Option<SampleTime>,
    /// The engine's clock when its present lane was admitted.
    admitted: SampleTime,
    log: VoiceLog,
    playouts: Vec<Option<Playout>>,
    /// The delay aimed at when a packet was played, by the same place.
    aims: Vec<Option<Samples>>,
    /// The packets that were played in the present tick.
    fresh: Vec<usize>,
    historian: Option<Historian>,
    /// The first packet its present lane was given, and that packet's 16-bit number.
    first: Option<(usize, u16)>,
    /// What its past lanes have counted.
    past: LaneStats,
    target: Target,
}

#[derive(Debug, Default)]
struct Target {
    sum: u64,
    max: Samples,
    ticks: u64,
}

impl Voice {
    pub(super) fn new(id: SpeakerId, speaker: &ScenarioSpeaker, sender: Sender, history: bool) -> Self {
        Self {
            id,
            gain_db: speaker.gain_db,
            pan: speaker.pan,
            silenced: false,
            dred: speaker.dred,
            consent: speaker.consent == Consent::Given,
            joined: None,
            leaving: None,
            muted: None,
            admitted: SampleTime::ZERO,
            log: VoiceLog { name: speaker.name.clone(), ..VoiceLog::default() },
            playouts: vec![None; sender.sent.len()],
            aims: vec![None; sender.sent.len()],
            fresh: Vec::new(),
            historian: history.then(Historian::default),
            first: None,
            past: LaneStats::default(),
            target: Target::default(),
            sender,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.log.name
    }

    /// Who it is to the ledger.
    pub(super) fn person(&self) -> Person {
        Person::of(b"simulated", self.name())
    }

    /// Comes in at `at`, by a lane that is pulled from `now` on.
    pub(super) fn join(&mut self, at: SampleTime, now: SampleTime) {
        self.joined = Some(at);
        self.first = None;
        self.admitted = now;
        self.fresh.clear();
        if let Some(historian) = &mut self.historian {
            historian.begin();
        }
    }

    /// Is back before its lane has gone.
    pub(super) fn rejoin(&mut self, at: SampleTime) {
        let stay = self.joined.replace(at).zip(self.leaving.take());
        self.log.present.extend(stay.map(|(from, to)| Span { from, to }));
    }

    /// Its lane has gone; these are the lane's last counters.
    pub(super) fn left(&mut self, at: SampleTime, lane: &LaneStats) {
        if let Some(from) = self.joined.take() {
            self.log.present.push(Span { from, to: at });
        }
        self.unmute(at);
        self.leaving = None;
        self.past = sum(&self.past, lane);
    }

    /// Is the room over before it came?
    pub(super) fn was_never_in(&self) -> bool {
        self.joined.is_none() && self.log.present.is_empty()
    }

    pub(super) fn mute(&mut self, at: SampleTime) {
        self.muted.get_or_insert(at);
    }

    pub(super) fn unmute(&mut self, at: SampleTime) {
        if let Some(from) = self.muted.take() {
            self.log.muted.push(Span { from, to: at });
        }
    }

    /// The next packet that reaches its lane by `now`; those sent before it joined or coming after it left go nowhere.
    pub(super) fn arrived(&mut self, now: SampleTime) -> Option<(usize, SampleTime)> {
        while let Some(arrival) = self.sender.arrived(now) {
            let sent = self.sender.sent.get(arrival.packet).map_or(SampleTime::ZERO, |sent| sent.at());
            let forever = SampleTime::from_samples(u64::MAX);
            let present = self.joined.map(|from| Span { from, to: self.leaving.unwrap_or(forever) });
            let mut stays = self.log.present.iter().copied().chain(present);
            if stays.any(|stay| sent >= stay.from && arrival.at < stay.to) {
                let sequence = self.sender.sequence(arrival.packet);
                self.first.get_or_insert((arrival.packet, sequence));
                return Some((arrival.packet, arrival.at));
            }
        }
        None
    }

    /// Has the last packet that arrived been heard to its end? If it never is, its time has passed a second later.
    pub(super) fn is_over(&self, now: SampleTime, lane: &LaneStats) -> bool {
        let last = self.sender.last_arrived().and_then(|last| self.playouts.get(last));
        let is_heard = match last {
            Some(Some(_)) => made(lane) <= now.since(self.admitted).count(),
            _ => now >= self.sender.end() + self.sender.smallest_transit() + lane.delay + UNHEARD,
        };
        self.sender.is_done() && is_heard
    }

    /// What its lane says after a tick whose last sample stands before `end` in the mixes.
    pub(super) fn watch(&mut self, lane: &LaneStats, end: SampleTime) {
        self.aim(lane.target);
        if let Some(historian) = &mut self.historian {
            historian.take(&lane.samples, end);
        }
    }

    fn aim(&mut self, target: Samples) {
        for place in self.fresh.drain(..) {
            self.aims[place] = Some(target);
        }
        self.target.sum += target.count();
        self.target.max = self.target.max.max(target);
        self.target.ticks += 1;
    }

    /// A packet was heard, or skipped. The lane's numbers begin at the 16 bits of its first packet.
    pub(super) fn heard(&mut self, playout: &Playout) {
        let Some((packet, sequence)) = self.first else { return };
        let place = (packet as u64).wrapping_add(playout.sequence).wrapping_sub(u64::from(sequence));
        if let Some(slot) = self.playouts.get_mut(place as usize) {
            slot.get_or_insert(*playout);
            self.fresh.push(place as usize);
        }
    }

    pub(super) fn stats(&self) -> &LaneStats {
        &self.past
    }

    pub(super) fn target_ms(&self) -> TargetMs {
        let mean = Samples::new(self.target.sum).as_ms() / self.target.ticks.max(1) as f64;
        TargetMs { mean: to_3_places(mean), max: to_3_places(self.target.max.as_ms()) }
    }

    /// Everything it sent while in the room, once the room is over.
    pub(super) fn take_log(&mut self) -> VoiceLog {
        let mut log = std::mem::take(&mut self.log);
        let in_room = |at: SampleTime| log.present.iter().any(|span| at >= span.from && at < span.to);
        let sent = self.sender.sent.iter().enumerate().filter(|(_, sent)| in_room(sent.at()));
        log.packets = sent.map(|(place, _)| self.packet_log(place)).collect();
        log.smallest_transit_ms = self.sender.smallest_transit_ms;
        log.history = self.historian.take().map(Historian::finish);
        log
    }

    fn packet_log(&self, place: usize) -> VoicePacketLog {
        let sent = &self.sender.sent[place];
        let playout = self.playouts[place].as_ref();
        let fate = Fate::of(playout, sent.arrival_ms.is_some());
        let payload = self.sender.payload(place);
        let heard = playout.filter(|_| fate.is_heard());
        // Playout and target count from the same quickest transit, the lane's of that moment.
        let target =
            |(playout, aim): (&Playout, Samples)| playout.at.as_ms() - playout.delay.as_ms() + aim.as_ms();
        VoicePacketLog {
            seq: sent.seq,
            send_ms: sent.send_ms,
            arrival_ms: sent.arrival_ms,
            playout_ms: heard.map(|playout| playout.at.as_ms()),
            target_ms: heard.zip(self.aims[place]).map(target),
            fate,
            bytes: payload.len(),
            voiced: opus::voice_active(payload),
        }
    }
}

/// Samples that a lane has made so far; those that were not heard yet wait in it.
fn made(lane: &LaneStats) -> u64 {
    let samples = &lane.samples;
    let sound =
        samples.played + samples.fec + samples.dred + samples.concealed + samples.silence + samples.unmixed;
    (sound + samples.inserted).saturating_sub(samples.removed)
}

fn sum(a: &LaneStats, b: &LaneStats) -> LaneStats {
    let mut all = *b;
    let (packets, before) = (&mut all.packets, &a.packets);
    packets.arrived += before.arrived;
    packets.kept += before.kept;
    packets.reports += before.reports;
    packets.duplicate += before.duplicate;
    packets.reordered += before.reordered;
    packets.late += before.late;
    packets.heard += before.heard;
    packets.skipped += before.skipped;
    packets.unmixed += before.unmixed;
    for (count, before) in packets.rejected.iter_mut().zip(before.rejected) {
        *count += before;
    }
    let (samples, before) = (&mut all.samples, &a.samples);
    samples.played += before.played;
    samples.concealed += before.concealed;
    samples.fec += before.fec;
    samples.dred += before.dred;
    samples.silence += before.silence;
    samples.unmixed += before.unmixed;
    samples.inserted += before.inserted;
    samples.removed += before.removed;
    all
}
