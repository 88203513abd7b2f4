//! The speakers: one thread sends what the script says at the moment it says, another counts what comes back.

use crate::{
    args::Args,
    script::{PACKET, Script},
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    io,
    net::{SocketAddr, UdpSocket},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};
use tertulia::sim::Rng;

/// A packet of the evening: whose, and its place from the beginning.
pub(crate) type Place = (usize, usize);

/// What was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    /// The latest that a packet went after it should have.
    pub(crate) latest: Duration,
    /// When packets with clicks went, less the jitter they were given.
    pub(crate) clicks: HashMap<Place, Instant>,
}

/// What came back to one speaker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) packets: u64,
    pub(crate) missing: u64,
    newest: Option<u16>,
}

/// Something that happens at a moment: a packet is due, or leaves the network that made it late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Due,
    Leaves { sequence: u16, late: Duration },
}

/// A socket for each voice, the listener's last. Only this machine hears them.
pub(crate) fn sockets(args: &Args) -> io::Result<Vec<UdpSocket>> {
    let here: SocketAddr = if args.to.is_ipv4() {
        ([127, 0, 0, 1], 0).into()
    } else {
        (std::net::Ipv6Addr::LOCALHOST, 0).into()
    };
    let open = |_| {
        let socket = UdpSocket::bind(here)?;
        socket.connect(args.to)?;
        Ok(socket)
    };
    (0..=args.speakers).map(open).collect()
}

/// Sends until the evening is over.
pub(crate) fn send(args: &Args, script: &Script, sockets: &[UdpSocket], start: Instant) -> Sent {
    let (mut rng, mut sent) = (Rng::new(args.seed), Sent::default());
    let mut agenda: BinaryHeap<_> =
        (0..sockets.len()).map(|voice| Reverse((start + phase(voice), Step::Due, (voice, 0)))).collect();
    let mut sequences = vec![0_u16; sockets.len()];
    let clicks: HashMap<_, _> = script.clicks.iter().map(|click| ((click.voice, click.packet), ())).collect();
    let end = start + Duration::from_secs_f64(args.seconds);
    while let Some(Reverse((at, step, (voice, packet)))) = agenda.pop().filter(|Reverse((at, ..))| *at < end)
    {
        let within = packet % script.packets();
        let Some(payload) = &script.voices[voice][within] else {
            agenda.push(Reverse((at + EACH, Step::Due, (voice, packet + 1))));
            continue;
        };
        match step {
            Step::Due => {
                let late =
                    Duration::from_secs_f64(rng.between(0.0, args.jitter_ms.max(f64::MIN_POSITIVE)) / 1e3);
                if !rng.chance(args.loss_percent / 100.0) {
                    let leaves = Step::Leaves { sequence: sequences[voice], late };
                    agenda.push(Reverse((at + late, leaves, (voice, packet))));
                }
                sequences[voice] = sequences[voice].wrapping_add(1);
                agenda.push(Reverse((at + EACH, Step::Due, (voice, packet + 1))));
            }
            Step::Leaves { sequence, late } => {
                wait_until(at);
                let datagram = datagram(args.payload_type, voice, sequence, packet, payload);
                // A server that is gone shows in what comes back.
                let _ = sockets[voice].send(&datagram);
                let now = now();
                sent.packets += 1;
                sent.latest = sent.latest.max(now - at);
                if clicks.contains_key(&(voice, within)) {
                    sent.clicks.insert((voice, packet), now - late);
                }
            }
        }
    }
    sent
}

/// Counts what comes back to all but the listener, until the evening is over.
pub(crate) fn hear(sockets: &[UdpSocket], over: &AtomicBool) -> io::Result<Vec<Heard>> {
    let mut heard = vec![Heard::default(); sockets.len()];
    sockets.iter().try_for_each(|socket| socket.set_nonblocking(true))?;
    let mut datagram = [0; 2048];
    while !over.load(Relaxed) {
        thread::park_timeout(Duration::from_millis(5));
        for (socket, heard) in sockets.iter().zip(&mut heard) {
            while let Ok(bytes) = socket.recv(&mut datagram) {
                heard.take(&datagram[..bytes]);
            }
        }
    }
    Ok(heard)
}

impl Heard {
    /// Counts one datagram.
    pub(crate) fn take(&mut self, datagram: &[u8]) {
        let [_, _, high, low, ..] = datagram else { return };
        let sequence = u16::from_be_bytes([*high, *low]);
        let ahead = self.newest.map_or(1, |newest| sequence.wrapping_sub(newest) as i16);
        if ahead > 0 {
            self.missing += ahead as u64 - 1;
            self.newest = Some(sequence);
        } else {
            // It came late, so it was counted as missing.
            self.missing = self.missing.saturating_sub(1);
        }
        self.packets += 1;
    }
}

/// 20 ms.
const EACH: Duration = Duration::from_millis(20);

/// Voices begin their packets at different moments: steps of the golden ratio leave no two of them close.
fn phase(voice: usize) -> Duration {
    EACH.mul_f64((voice as f64 * 0.618_033_988_749_895).fract())
}

/// A packet of RTP (RFC 3550 §5.1).
fn datagram(payload_type: u8, voice: usize, sequence: u16, packet: usize, payload: &[u8]) -> Vec<u8> {
    let timestamp = (packet as u32).wrapping_mul(PACKET as u32);
    let mut datagram = vec![0x80, payload_type];
    datagram.extend(sequence.to_be_bytes());
    datagram.extend(timestamp.to_be_bytes());
    datagram.extend((voice as u32 + 1).to_be_bytes());
    datagram.extend(payload);
    datagram
}

#[expect(clippy::disallowed_methods, reason = "packets are sent in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "packets are sent in real time")]
fn wait_until(at: Instant) {
    thread::sleep(at.saturating_duration_since(now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_counted_and_what_comes_late_is_not() {
        let mut heard = Heard::default();
        for sequence in [65_534_u16, 65_535, 2, 1, 3] {
            heard.take(&[&[0x80, 111][..], &sequence.to_be_bytes()].concat());
        }
        assert_eq!((heard.packets, heard.missing), (5, 1));
    }
}
