//! What everybody sends, packet by packet, written before the evening begins: turns of talk, and clicks in them. A long
//! evening repeats it.

use crate::{
    args::{Args, Quiet},
    click,
};
use tertulia::{
    codec::{CodecError, Encoder, EncoderConfig},
    frame::Channels,
    sim::Talker,
};

pub(crate) const PACKET: usize = 960;

/// Packets of one turn: 2.5 s.
const TURN: usize = 125;
/// Samples from click to click: 0.26 s and a little, so that they fall everywhere in packets.
const BETWEEN_CLICKS: usize = 12_480 + 337;
/// The longest script, 30 s.
const LONGEST: usize = 1500;
/// Between packets of who is silent: 400 ms.
const DTX: usize = 20;
/// A CELT frame of 20 ms that holds nothing.
const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];

/// Everybody's packets, one place each 20 ms; nothing where nothing is sent.
pub(crate) struct Script {
    pub(crate) voices: Vec<Vec<Option<Box<[u8]>>>>,
    pub(crate) clicks: Vec<Click>,
}

/// One click.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Click {
    pub(crate) voice: usize,
    /// Where it begins: the packet's place, and the sample in it.
    pub(crate) packet: usize,
    pub(crate) sample: usize,
}

impl Script {
    /// The listener is the last voice, and never talks.
    pub(crate) fn write(args: &Args) -> Result<Self, CodecError> {
        let talking = ((args.speakers as f64 * args.talking_percent / 100.0).round() as usize).max(1);
        let packets = ((args.seconds * 50.0).ceil() as usize).min(LONGEST).next_multiple_of(TURN);
        let turns = Turns { speakers: args.speakers, talking };
        let clicks = turns.clicks(packets);
        let voices = (0..=args.speakers).map(|voice| {
            let mut writer = Writer::new(voice, args)?;
            (0..packets).map(|packet| writer.packet(packet, turns.talks(voice, packet), &clicks)).collect()
        });
        Ok(Self { voices: voices.collect::<Result<_, _>>()?, clicks })
    }

    pub(crate) fn packets(&self) -> usize {
        self.voices.first().map_or(0, Vec::len)
    }
}

/// Who talks when: each turn the next few.
struct Turns {
    speakers: usize,
    talking: usize,
}

impl Turns {
    fn talks(&self, voice: usize, packet: usize) -> bool {
        let first = packet / TURN * self.talking;
        voice < self.speakers
            && (voice + self.speakers - first % self.speakers) % self.speakers < self.talking
    }

    /// The talkers of a turn click one after the other.
    fn clicks(&self, packets: usize) -> Vec<Click> {
        let at = (1..).map(|number| number * BETWEEN_CLICKS);
        let within = at.take_while(|at| at + click::LENGTH < packets * PACKET);
        within
            .enumerate()
            .map(|(number, at)| {
                let packet = at / PACKET;
                let voice = (packet / TURN * self.talking + number % self.talking) % self.speakers;
                Click { voice, packet, sample: at % PACKET }
            })
            // Whole in its turn.
            .filter(|click| (click.packet + 1) / TURN == click.packet / TURN)
            .collect()
    }
}

/// One voice's encoder.
struct Writer {
    voice: usize,
    quiet: Quiet,
    talker: Talker,
    encoder: Encoder,
    /// This packet, and the click that goes on in the next.
    sound: Vec<f32>,
}

impl Writer {
    fn new(voice: usize, args: &Args) -> Result<Self, CodecError> {
        let encoder = Encoder::new(&EncoderConfig::default(), Channels::Mono)?;
        let talker = Talker::new(args.seed.wrapping_mul(1000) + voice as u64);
        Ok(Self { voice, quiet: args.quiet, talker, encoder, sound: vec![0.0; 2 * PACKET] })
    }

    fn packet(
        &mut self,
        packet: usize,
        talks: bool,
        clicks: &[Click],
    ) -> Result<Option<Box<[u8]>>, CodecError> {
        if !talks {
            let sent = self.quiet == Quiet::Packets || (packet + self.voice).is_multiple_of(DTX);
            return Ok(sent.then(|| SILENCE.into()));
        }
        let mut speech = [0.0; PACKET];
        self.talker.speak(&mut speech);
        self.sound.iter_mut().zip(speech).for_each(|(to, from)| *to += 0.5 * from);
        for click in clicks.iter().filter(|click| (click.voice, click.packet) == (self.voice, packet)) {
            click::put(&mut self.sound, click.sample);
        }
        let mut payload = [0; 1275];
        let bytes = self.encoder.encode(&self.sound[..PACKET], &mut payload)?;
        self.sound.copy_within(PACKET.., 0);
        self.sound[PACKET..].fill(0.0);
        Ok(Some(payload[..bytes].into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_turn_and_as_many_talk_as_should() {
        let turns = Turns { speakers: 7, talking: 3 };
        for packet in 0..7 * TURN {
            assert_eq!((0..8).filter(|voice| turns.talks(*voice, packet)).count(), 3);
        }
        assert!((0..7).all(|voice| (0..7 * TURN).any(|packet| turns.talks(voice, packet))));
        assert!((0..7 * TURN).all(|packet| !turns.talks(7, packet)));
    }

    #[test]
    fn clicks_are_talkers_and_stand_apart() {
        let turns = Turns { speakers: 5, talking: 2 };
        let clicks = turns.clicks(1500);
        assert!(clicks.len() > 90 && clicks.iter().all(|click| turns.talks(click.voice, click.packet)));
        let at = |click: &Click| click.packet * PACKET + click.sample;
        assert!(clicks.windows(2).all(|pair| at(&pair[1]) - at(&pair[0]) >= BETWEEN_CLICKS));
    }
}
