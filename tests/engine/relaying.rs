//! A lone voice's own packets in place of its mix.

use crate::{
    desk::{Desk, PACKET, Talker},
    selection::{telling, telling_lane},
};
use tertulia::{
    codec::Decoder,
    engine::{Codec, Command, EncoderConfig, LaneStats, RoomConfig},
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
    /// Of a bus that is not coded, if there is one.
    mix: Vec<f32>,
    encodes: Vec<u32>,
    decodes: Vec<u32>,
    /// What each speaker sent.
    voices: Vec<Vec<Vec<u8>>>,
    stats: Vec<LaneStats>,
}

/// Who is there.
#[derive(Clone, Copy)]
struct Cast {
    relay: bool,
    /// Does somebody want the mix itself?
    tap: bool,
    places: u16,
    /// How many samples of a packet each is out of step with the one before.
    late: u64,
}

const RELAYED: Cast = Cast { relay: true, tap: false, places: 1, late: 0 };

impl Cast {
    /// The same with somebody who wants the mix.
    fn tapped(self) -> Self {
        Self { tap: true, ..self }
    }

    fn mixed(self) -> Self {
        Self { relay: false, tap: true, ..self }
    }
}

impl Evening {
    /// Speakers of tones; `talks` says when.
    fn of(cast: Cast, talks: impl Fn(u16, u16) -> bool, mut each: impl FnMut(u16, &mut Desk)) -> Self {
        let Cast { relay, tap, places, late } = cast;
        let mut desk = Desk::of(RoomConfig { quantum: Quantum::Ms10, ..RoomConfig::default() });
        let speakers: Vec<_> =
            (0..places).map(|place| desk.admit_as(telling_lane(place, Codec::Opus))).collect();
        let mut talkers: Vec<_> = (0..places).map(Talker::new).collect();
        let coding = EncoderConfig { relay, ..EncoderConfig::default() };
        let listeners = desk.open(SpeakerSet::EVERYBODY, Some(coding));
        let tap = tap.then(|| desk.open(SpeakerSet::EVERYBODY, None));
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
            let (mut encodes, mut decodes) = (0, 0);
            for _ in 0..2 {
                let tick = desk.engine.tick();
                evening.mix.extend(tap.and_then(|tap| tick.mix(tap)).unwrap_or_default());
                encodes += tick.work().encodes;
                decodes += tick.work().decodes;
                for packet in tick.packets().filter(|packet| packet.bus == listeners) {
                    let bytes = [&packet.header[..], packet.payload].concat();
                    let rtp = Packet::parse(&bytes).unwrap();
                    evening.sent.push((rtp.sequence, rtp.timestamp, packet.payload.to_vec()));
                }
            }
            evening.encodes.push(encodes);
            evening.decodes.push(decodes);
        }
        evening.stats = speakers.iter().map(|speaker| desk.engine.stats(*speaker).unwrap()).collect();
        evening
    }

    /// Was this packet one of the speaker's own?
    fn is_relayed(&self, packet: &[u8], speaker: usize) -> bool {
        self.voices[speaker].iter().any(|own| own == packet)
    }

    fn relayed(&self) -> Vec<bool> {
        self.sent.iter().map(|packet| self.is_relayed(&packet.2, 0)).collect()
    }

    /// What the listener's decoder makes of it, against `mix` at the same time: the error, packet by packet.
    fn error_db(&self, mix: &[f32]) -> Vec<f64> {
        let mut decoder = Decoder::new(Codec::Opus, Channels::Mono).unwrap();
        let mut pcm = [0.0; 5760];
        let error = |(_, timestamp, payload): &(u16, u32, Vec<u8>)| {
            let decoded = decoder.decode(payload, &mut pcm).unwrap();
            // An encoder's packets lie 312 samples behind their sound.
            let from = (*timestamp as usize).saturating_sub(312);
            let mix = mix[from..].iter().chain(std::iter::repeat(&0.0));
            let pairs = pcm[..decoded].iter().zip(mix);
            let power = pairs.map(|(a, b)| f64::from((a - b).powi(2))).sum::<f64>();
            10.0 * (power / decoded as f64 + 1e-12).log10()
        };
        self.sent.iter().map(error).collect()
    }
}

#[test]
fn a_lone_voice_is_sent_as_it_came_and_neither_encoded_nor_decoded() {
    let evening = Evening::of(RELAYED, |_, _| true, |_, _| {});
    let own: Vec<_> = evening.sent[6..].iter().map(|packet| packet.2.clone()).collect();
    let from = evening.voices[0].iter().position(|packet| *packet == own[0]).unwrap();
    assert_eq!(own, evening.voices[0][from..from + own.len()]);
    assert!(own.len() > 187 && evening.encodes[8..].iter().all(|encodes| *encodes == 0));
    assert!(evening.decodes[20..].iter().all(|decodes| *decodes == 0), "{:?}", evening.decodes);
    let numbers = evening.sent.windows(2).all(|pair| pair[1].0 == pair[0].0.wrapping_add(1));
    assert!(numbers && evening.sent[6..].windows(2).all(|pair| pair[1].1 - pair[0].1 == 960));
    let mixed = Evening::of(RELAYED.mixed(), |_, _| true, |_, _| {});
    let (errors, coded) = (evening.error_db(&mixed.mix), mixed.error_db(&mixed.mix));
    let worst = coded[10..].iter().copied().fold(f64::MIN, f64::max);
    assert!(errors[6..].iter().all(|error| *error <= worst), "{:?} above {worst}", &errors[..30]);
    assert!(
        errors[30..].iter().all(|error| *error < -80.0),
        "in step with its mix to the sample, of which one would make -55 dB; a tone never lets a decoder forget altogether: {:?}",
        &errors[..40]
    );
    assert_eq!(evening.stats, mixed.stats, "and counted alike");
}

#[test]
fn who_wants_the_mix_itself_gets_it_as_if_nothing_were_relayed() {
    let talks = |place: u16, sequence: u16| place == 0 || (60..70).contains(&sequence);
    let cast = Cast { places: 2, late: 333, ..RELAYED };
    let (relayed, mixed) =
        (Evening::of(cast.tapped(), talks, |_, _| {}), Evening::of(cast.mixed(), talks, |_, _| {}));
    assert!(relayed.mix == mixed.mix && relayed.mix.len() == 200 * PACKET);
    assert!(relayed.relayed().iter().filter(|own| **own).count() > 100);
}

#[test]
fn a_second_voice_is_mixed_in_from_its_first_sample_and_nobody_hears_a_seam() {
    let talks = |place: u16, sequence: u16| place == 0 || (60..70).contains(&sequence);
    for cast in [0, 333].map(|late| Cast { places: 2, late, ..RELAYED }) {
        let mixed = Evening::of(cast.mixed(), talks, |_, _| {});
        for cast in [cast, cast.tapped()] {
            let relayed = Evening::of(cast, talks, |_, _| {});
            let is_own = relayed.relayed();
            let (first, last) = (
                is_own[10..].iter().position(|own| !own).unwrap() + 10,
                is_own.iter().rposition(|own| !own).unwrap(),
            );
            assert!((56..61).contains(&first) && (90..115).contains(&last), "{first} {last}");
            assert!(is_own[first..=last].iter().all(|own| !own), "and back once");
            // The way back waits until half a second after the second voice. Nowhere is the error above what it is at its
            // worst when everything is encoded.
            let worst = mixed.error_db(&mixed.mix)[10..].iter().copied().fold(f64::MIN, f64::max);
            let errors = relayed.error_db(&mixed.mix);
            assert!(
                errors[10..].iter().all(|error| *error <= worst),
                "{:?} above {worst}, tapped {}",
                &errors[first - 2..first + 4],
                cast.tap
            );
        }
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
    let own = Evening::of(RELAYED, |_, _| true, loud).relayed();
    assert!(own[10..47].iter().all(|own| *own) && own[107..].iter().all(|own| *own));
    assert!(own[51..98].iter().all(|own| !own));
}

#[test]
fn when_its_speaker_falls_silent_so_does_the_stream_and_it_goes_on_in_step() {
    let talks = |_, sequence| !(80..150).contains(&sequence);
    let mixed = Evening::of(RELAYED.mixed(), talks, |_, _| {});
    for cast in [RELAYED, RELAYED.tapped()] {
        let evening = Evening::of(cast, talks, |_, _| {});
        let errors = evening.error_db(&mixed.mix);
        let after = evening.sent.iter().position(|packet| packet.1 > 151 * 960).unwrap();
        assert!(errors[after + 4..].iter().all(|error| *error < -60.0));
        assert!(evening.sent[after + 7..].iter().all(|packet| evening.is_relayed(&packet.2, 0)));
    }
}

#[test]
fn a_loss_is_a_gap_that_the_listener_can_tell_and_no_reason_to_mix() {
    let lost = |sequence: u16| sequence % 20 == 10 || sequence % 50 == 36;
    for cast in [RELAYED, RELAYED.tapped()] {
        let evening = Evening::of(cast, |_, sequence| !lost(sequence), |_, _| {});
        let own = evening.relayed();
        assert!(own[12..].iter().all(|own| *own), "{own:?}");
        assert!(evening.encodes[20..].iter().all(|encodes| *encodes == 0));
        // Whoever receives it counts what was lost, and where.
        let from = evening.sent.iter().position(|packet| packet.1 > 40 * 960).unwrap();
        let (first, last) = (&evening.sent[from], evening.sent.last().unwrap());
        let number = |packet: &(u16, u32, Vec<u8>)| {
            evening.voices[0].iter().position(|own| *own == packet.2).unwrap() as u16
        };
        assert_eq!(last.0 - first.0, number(last) - number(first));
        let missing = evening.sent[from..].windows(2).filter(|pair| pair[1].0 != pair[0].0 + 1).count();
        assert_eq!(missing, (number(first)..number(last)).filter(|number| lost(*number)).count());
        for pair in evening.sent[from..].windows(2) {
            let steps = u32::from(pair[1].0 - pair[0].0);
            assert!((pair[1].1 - pair[0].1).abs_diff(steps * 960) <= 960, "{:?}", pair);
        }
    }
}

#[test]
fn who_was_relayed_for_long_is_mixed_with_whoever_comes_without_a_repeated_or_a_missing_sample() {
    // The third joins after a second, so that everybody's packets have long been neither decoded nor encoded.
    let talks = |place: u16, sequence: u16| place == 0 || sequence >= 100 + 7 * place;
    let cast = Cast { places: 3, late: 123, ..RELAYED };
    let (relayed, mixed) = (Evening::of(cast, talks, |_, _| {}), Evening::of(cast.mixed(), talks, |_, _| {}));
    assert!(relayed.decodes[30..100].iter().all(|decodes| *decodes == 0));
    let (errors, worst) = (relayed.error_db(&mixed.mix), mixed.error_db(&mixed.mix));
    let worst = worst[10..].iter().copied().fold(f64::MIN, f64::max);
    assert!(errors[10..].iter().all(|error| *error <= worst), "{errors:?} above {worst}");
}
