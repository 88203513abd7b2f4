//! The listener: keeps what comes back with the moment it came, and afterwards looks for the clicks in it.

use crate::{
    click,
    priority::be_punctual,
    script::{Click, PACKET, Script},
    speakers::{Heard, Sent, now},
};
use std::{
    io,
    net::UdpSocket,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};
use tertulia::{
    codec::{Codec, CodecError, Decoder},
    frame::Channels,
};

/// Everything that came to the listener.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) heard: Heard,
    payloads: Vec<(Instant, Vec<u8>)>,
}

/// What the clicks told.
#[derive(Debug, Default)]
pub(crate) struct Clicks {
    /// From the mouth to the ear, less the 20 ms of a packet and less the senders' encoders: ms, sorted.
    pub(crate) added_ms: Vec<f64>,
    pub(crate) unheard: usize,
}

/// Later than this nothing is looked for: clicks come every 267 ms.
const LONGEST: Duration = Duration::from_millis(240);

pub(crate) fn listen(socket: &UdpSocket, over: &AtomicBool) -> io::Result<Taken> {
    be_punctual();
    let (mut taken, mut datagram) = (Taken::default(), [0; 2048]);
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    while !over.load(Relaxed) {
        let Ok(bytes) = socket.recv(&mut datagram) else { continue };
        let came = now();
        taken.heard.take(&datagram[..bytes]);
        taken.payloads.push((came, datagram.get(12..bytes).unwrap_or_default().to_vec()));
    }
    Ok(taken)
}

impl Taken {
    /// Finds the clicks that were sent.
    pub(crate) fn clicks(&self, script: &Script, sent: &Sent) -> Result<Clicks, CodecError> {
        let look_ahead = look_ahead(script)?;
        let stream = self.decode()?;
        let mut clicks = Clicks::default();
        for ((voice, packet), went) in &sent.clicks {
            let within = packet % script.packets();
            let same = |click: &&Click| (click.voice, click.packet) == (*voice, within);
            let Some(click) = script.clicks.iter().find(same) else { continue };
            // A packet leaves when its last sample has been said: as if its first were said now, that is 20 ms ago.
            let said = *went + span(click.sample + look_ahead);
            match stream.find_click(said) {
                Some(heard) => clicks.added_ms.push(ms_between(said, heard)),
                None => clicks.unheard += 1,
            }
        }
        clicks.added_ms.sort_by(f64::total_cmp);
        Ok(clicks)
    }

    fn decode(&self) -> Result<Stream, CodecError> {
        let mut decoder = Decoder::new(Codec::Opus, Channels::Mono)?;
        let (mut stream, mut sound) = (Stream::default(), [0.0; 5760]);
        for (came, payload) in &self.payloads {
            let samples = decoder.decode(payload, &mut sound).unwrap_or(0);
            stream.packets.push((*came, stream.sound.len()));
            stream.sound.extend(&sound[..samples]);
        }
        Ok(stream)
    }
}

/// What was heard, and when: each packet's first sample the moment it came.
#[derive(Debug, Default)]
struct Stream {
    sound: Vec<f32>,
    packets: Vec<(Instant, usize)>,
}

impl Stream {
    /// When the click was heard that was said at `said`.
    fn find_click(&self, said: Instant) -> Option<Instant> {
        let first = self.packets.partition_point(|(came, _)| *came + PACKET_TIME < said);
        let last = self.packets.partition_point(|(came, _)| *came < said + LONGEST);
        let (from, to) = (self.begin(first), self.begin(last));
        let at = from + click::find(self.sound.get(from..to)?)?;
        let packet = self.packets.partition_point(|(_, begin)| *begin <= at).checked_sub(1)?;
        let (came, begin) = self.packets.get(packet)?;
        Some(*came + span(at - begin))
    }

    fn begin(&self, packet: usize) -> usize {
        self.packets.get(packet).map_or(self.sound.len(), |(_, begin)| *begin)
    }
}

/// 20 ms.
const PACKET_TIME: Duration = Duration::from_millis(20);

/// By how many samples the senders' encoders are late, told by their own packets.
fn look_ahead(script: &Script) -> Result<usize, CodecError> {
    let mut decoder = Decoder::new(Codec::Opus, Channels::Mono)?;
    let (mut sound, mut packet) = (Vec::new(), [0.0; 5760]);
    let Some(click) = script.clicks.first() else { return Ok(0) };
    for payload in script.voices[click.voice][..=click.packet + 1].iter().flatten() {
        let samples = decoder.decode(payload, &mut packet)?;
        sound.extend(&packet[..samples]);
    }
    // Who is silent leaves packets out, so count from the end.
    let last_two = sound.split_off(sound.len().saturating_sub(2 * PACKET));
    Ok(click::find(&last_two).map_or(0, |at| at.saturating_sub(click.sample)))
}

fn span(samples: usize) -> Duration {
    Duration::from_secs_f64(samples as f64 / 48_000.0)
}

fn ms_between(early: Instant, late: Instant) -> f64 {
    match late.checked_duration_since(early) {
        Some(span) => span.as_secs_f64() * 1e3,
        None => -(early - late).as_secs_f64() * 1e3,
    }
}
