//! A lone voice's own packets in place of its mix.

use crate::{
    desk::{Desk, PACKET, Talker},
    selection::{telling, telling_lane},
};
use tertulia::{
    codec::Decoder,
    engine::{Codec, Command, EncoderConfig, RoomConfig},
    frame::Channels,
    packet::Packet,
    speaker::{SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime, Samples},
};

/// What one listener got, and what the mix was.
#[derive(Default)]
struct Evening {
    /// Sequence number, timestamp, payload.
    sent: Vec<(u16, u32, Vec<u8>)>,
    mix: Vec<f32>,
    encodes: Vec<u32>,
    /// What each speaker sent.
    voices: Vec<Vec<Vec<u8>>>,
}

impl Evening {
    /// Speakers of tones; `talks` says when, `late` how many samples of a packet each is out of step.
    fn of(
        relay: bool,
        places: u16,
        talks: impl Fn(u16, u16) -> bool,
        late: u64,
        mut each: impl FnMut(u16, &mut Desk),
    ) -> Self {
        let mut desk = Desk::of(RoomConfig { quantum: Quantum::Ms10, ..RoomConfig::default() });
        let speakers: Vec<_> =
            (0..places).map(|place| desk.admit_as(telling_lane(place, Codec::Opus))).collect();
        let mut talkers: Vec<_> = (0..places).map(Talker::new).collect();
        let listeners =
            desk.open(SpeakerSet::EVERYBODY, Some(EncoderConfig { relay, ..EncoderConfig::default() }));
        let mut evening = Self { voices: vec![Vec::new(); usize::from(places)], ..Self::default() };
        for sequence in 0..200 {
            each(sequence, &mut desk);
            for (speaker, talker) in speakers.iter().zip(&mut talkers) {
                let payload = talker.packet(sequence);
                evening.voices[speaker.index()].push(payload.clone());
                if talks(speaker.0, sequence) {
                    let datagram = telling(*speaker, sequence, true, 30, &payload);
                    let arrived = u64::from(sequence) * PACKET as u64 + late * u64::from(speaker.0);
                    desk.engine.receive(*speaker, &datagram, SampleTime::from_samples(arrived));
                }
            }
            let mut encodes = 0;
            for _ in 0..2 {
                let tick = desk.engine.tick();
                evening.mix.extend(tick.mix(listeners).unwrap());
                encodes += tick.work().encodes;
                for packet in tick.packets() {
                    let bytes = [&packet.header[..], packet.payload].concat();
                    let rtp = Packet::parse(&bytes).unwrap();
                    evening.sent.push((rtp.sequence, rtp.timestamp, packet.payload.to_vec()));
                }
            }
            evening.encodes.push(encodes);
        }
        evening
    }

    /// Was this packet one of the speaker's own?
    fn is_relayed(&self, packet: &[u8], speaker: usize) -> bool {
        self.voices[speaker].iter().any(|own| own == packet)
    }

    /// What the listener's decoder makes of it, in step with the mix: error and signal, packet by packet.
    fn error_db(&self) -> Vec<f64> {
        let mut decoder = Decoder::new(Codec::Opus, Channels::Mono).unwrap();
        let mut pcm = [0.0; 5760];
        let error = |(_, timestamp, payload): &(u16, u32, Vec<u8>)| {
            let decoded = decoder.decode(payload, &mut pcm).unwrap();
            // An encoder's packets lie 312 samples behind their sound.
            let from = (*timestamp as usize).saturating_sub(312);
            let mix = self.mix[from..].iter().chain(std::iter::repeat(&0.0));
            let pairs = pcm[..decoded].iter().zip(mix);
            let power = pairs.map(|(a, b)| f64::from((a - b).powi(2))).sum::<f64>();
            10.0 * (power / decoded as f64 + 1e-12).log10()
        };
        self.sent.iter().map(error).collect()
    }
}

#[test]
fn a_lone_voice_is_sent_as_it_came_without_an_encode() {
    let evening = Evening::of(true, 1, |_, _| true, 0, |_, _| {});
    let own: Vec<_> = evening.sent[3..].iter().map(|packet| packet.2.clone()).collect();
    let from = evening.voices[0].iter().position(|packet| *packet == own[0]).unwrap();
    assert_eq!(own, evening.voices[0][from..from + own.len()]);
    assert!(own.len() > 190 && evening.encodes[5..].iter().all(|encodes| *encodes == 0));
    let numbers = evening.sent.windows(2).all(|pair| pair[1].0 == pair[0].0.wrapping_add(1));
    assert!(numbers && evening.sent[3..].windows(2).all(|pair| pair[1].1 - pair[0].1 == 960));
    assert!(
        evening.error_db()[10..].iter().all(|error| *error < -110.0),
        "in step with its mix, to the sample"
    );
}

#[test]
fn a_second_voice_is_mixed_in_from_its_first_sample_and_nobody_hears_a_seam() {
    let talks = |place: u16, sequence: u16| place == 0 || (60..70).contains(&sequence);
    for late in [0, 333] {
        let (relayed, mixed) =
            (Evening::of(true, 2, talks, late, |_, _| {}), Evening::of(false, 2, talks, late, |_, _| {}));
        let is_own: Vec<_> = relayed.sent.iter().map(|packet| relayed.is_relayed(&packet.2, 0)).collect();
        let (first, last) = (
            is_own[10..].iter().position(|own| !own).unwrap() + 10,
            is_own.iter().rposition(|own| !own).unwrap(),
        );
        assert!((56..61).contains(&first) && (90..115).contains(&last), "{first} {last}");
        assert!(is_own[first..=last].iter().all(|own| !own), "and back once");
        // The way back waits until half a second after the second voice. Nowhere is the error above what it is at its worst
        // when everything is encoded.
        let worst = mixed.error_db()[10..].iter().copied().fold(f64::MIN, f64::max);
        let errors = relayed.error_db();
        assert!(
            errors[10..].iter().all(|error| *error <= worst),
            "{:?} above {worst}",
            &errors[first - 2..first + 4]
        );
    }
}

#[test]
fn what_is_changed_on_its_way_is_not_relayed() {
    let speaker = SpeakerId(0);
    let loud = |sequence: u16, desk: &mut Desk| {
        let at = desk.engine.now();
        match sequence {
            50 => drop(desk.engine.apply(Command::Gain { speaker, to: 0.5, at, over: Samples::ZERO })),
            100 => drop(desk.engine.apply(Command::Gain { speaker, to: 1.0, at, over: Samples::ZERO })),
            _ => {}
        }
    };
    let evening = Evening::of(true, 1, |_, _| true, 0, loud);
    let own: Vec<_> = evening.sent.iter().map(|packet| evening.is_relayed(&packet.2, 0)).collect();
    assert!(own[10..47].iter().all(|own| *own) && own[104..].iter().all(|own| *own));
    assert!(own[51..98].iter().all(|own| !own));
}

#[test]
fn when_its_speaker_falls_silent_so_does_the_stream_and_it_goes_on_in_step() {
    let evening = Evening::of(true, 1, |_, sequence| !(80..150).contains(&sequence), 0, |_, _| {});
    let errors = evening.error_db();
    let after = evening.sent.iter().position(|packet| packet.1 > 151 * 960).unwrap();
    assert!(errors[after + 4..].iter().all(|error| *error < -60.0));
    assert!(evening.sent[after + 4..].iter().all(|packet| evening.is_relayed(&packet.2, 0)));
}
