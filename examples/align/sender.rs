//! One speaker's clock, capture and network: packets leave, each with when it arrives and when its click was said.

use crate::{
    click,
    story::{JITTER_MS, LATE, LATE_MS, LOST, Silence, Story},
};
use rtp_types::RtpPacketBuilder;
use std::error::Error;
use tertulia::{
    packet::SenderReport,
    sim::{Rng, Talker},
    time::NtpTime,
};

/// 20 ms.
pub(crate) const FRAME: u64 = 960;
/// Five seconds, said again and again.
const LOOP: u64 = 250;
/// The packet of each five seconds that holds the click, and where in it.
const CLICKS: u64 = 100;
const WITHIN: usize = 300;

/// Their wall clocks as the room opens, in seconds.
const WALL_S: u64 = 4_000_000_000;

/// A packet on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// When it reaches the room.
    pub(crate) arrives: u64,
    pub(crate) datagram: Vec<u8>,
    /// When its click was said, and the shortest way later.
    pub(crate) click: Option<f64>,
    /// What it reports of its clock behind this packet.
    pub(crate) report: Option<Vec<u8>>,
}

/// The packets of five seconds: a quiet voice that pauses, and one click.
pub(crate) fn five_seconds() -> Result<Vec<Vec<u8>>, opus::Error> {
    let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Audio)?;
    encoder.set_bitrate(opus::Bitrate::Bits(32_000))?;
    let mut said = vec![0.0; (LOOP * FRAME) as usize];
    Talker::new(11).speak(&mut said);
    said.iter_mut().for_each(|sample| *sample *= 0.1);
    // Nothing is said around the click, so that a codec has nothing else to do there.
    let at = (CLICKS * FRAME) as usize + WITHIN;
    said[at - 9_600..at + 9_600].fill(0.0);
    click::put(&mut said, at);
    said.chunks(FRAME as usize).map(|frame| encoder.encode_vec_float(frame, 1_275)).collect()
}

/// A speaker who sends.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) story: Story,
    rng: Rng,
    /// Which packet of its capture comes next, and when it is said on the room's clock.
    number: u64,
    at: f64,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    pauses_for: u64,
    marked: bool,
    /// When the queue before the room is empty.
    queue: f64,
}

impl Sender {
    pub(crate) fn new(story: Story, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let (ssrc, sequence, timestamp) = (rng.bits() as u32, rng.bits() as u16, rng.bits() as u32);
        Self {
            story,
            rng,
            number: 0,
            at: 0.0,
            ssrc,
            sequence,
            timestamp,
            pauses_for: 0,
            marked: true,
            queue: 0.0,
        }
    }

    /// Begins to speak at this room sample.
    pub(crate) fn come(&mut self, at: f64) {
        (self.at, self.number, self.pauses_for) = (at, 0, 0);
        self.begin_anew(true);
    }

    /// When its next packet is whole.
    pub(crate) fn next(&self) -> f64 {
        self.at + FRAME as f64
    }

    /// What its next 20 ms become: nothing if they are lost or not sent.
    pub(crate) fn send(&mut self, packets: &[Vec<u8>]) -> Result<Option<Sent>, Box<dyn Error>> {
        self.live();
        let place = self.number % LOOP;
        let (said, pauses) = (self.at, self.pauses_for > 0);
        let pace = 1.0 - self.story.ppm * 1e-6;
        self.number += 1;
        self.at += FRAME as f64 * pace;
        if pauses {
            self.pauses_for -= 1;
            self.marked = true;
            let stands = self.story.silence == Silence::Suppressed;
            self.timestamp = self.timestamp.wrapping_add(if stands { 0 } else { FRAME as u32 });
            return Ok(None);
        }
        let report = place.is_multiple_of(LOOP).then(|| self.report(said));
        let datagram = self.datagram(&packets[place as usize])?;
        let transit = self.transit();
        let clicked = said + WITHIN as f64 * pace + self.story.transit_ms * 48.0;
        let click = (place == CLICKS).then_some(clicked);
        Ok((!self.rng.chance(LOST)).then(|| Sent {
            arrives: (said + transit) as u64 + 1,
            datagram,
            click,
            report,
        }))
    }

    /// This moment by its wall clock, and by its next packet's timestamp.
    fn report(&self, said: f64) -> Vec<u8> {
        let wall = NtpTime::from_samples(WALL_S * 48_000 + said as u64);
        SenderReport { ssrc: self.ssrc, wall, timestamp: self.timestamp }.bytes().to_vec()
    }

    fn datagram(&mut self, payload: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
        let packet = RtpPacketBuilder::<&[u8], &[u8]>::new()
            .payload_type(111)
            .marker_bit(std::mem::take(&mut self.marked))
            .sequence_number(self.sequence)
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        packet.write_vec().map_err(|error| format!("{error:?}").into())
    }

    /// What happens to it before its next packet.
    fn live(&mut self) {
        let place = self.number % LOOP;
        if self.story.silence != Silence::Sent && place == 130 {
            self.pauses_for = self.rng.between(5.0, 110.0) as u64;
        }
        // Twice in three minutes, far from its clicks.
        if self.story.stalls && place == 190 && self.rng.chance(1.0 / 18.0) {
            self.at += 48.0 * self.rng.between(100.0, 3_000.0);
        }
        if self.story.restarts && place == 40 && self.rng.chance(1.0 / 36.0) {
            let ssrc = self.rng.chance(0.5);
            self.begin_anew(ssrc);
        }
    }

    fn begin_anew(&mut self, ssrc: bool) {
        if ssrc {
            (self.ssrc, self.sequence) = (self.rng.bits() as u32, self.rng.bits() as u16);
        }
        self.timestamp = self.timestamp.wrapping_add(self.rng.bits() as u32 | 1 << 24);
        self.marked = true;
    }

    /// From what was said to the room: packets queue behind one another, and some stray.
    fn transit(&mut self) -> f64 {
        let jitter = self.rng.exponential(JITTER_MS) * 48.0;
        let out = self.queue.max(self.at + self.story.transit_ms * 48.0 + jitter) - self.at;
        self.queue = self.at + out;
        let late = if self.rng.chance(LATE) { self.rng.between(LATE_MS.start, LATE_MS.end) } else { 0.0 };
        out + 48.0 * late
    }
}
