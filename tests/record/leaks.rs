//! What was refused cannot be had from the stored bytes, whichever way they are decoded. The voice here speaks only where
//! it may not be kept, up to the very sample: whatever is heard of it has leaked.

use crate::support::{MARA, at, play, read, recorder};
use std::ops::Range;
use tertulia::{
    codec::{self, EncoderConfig, MAX_PAYLOAD_BYTES},
    consent::Recordable,
    frame::Channels,
    record::Recorder,
    sim::{Overheard, Rng, overhear},
    speaker::VoicePacket,
    time::{MediaTime, SampleTime, Samples},
};

/// Below the noise of 16 bits.
const SILENT_DBFS: f64 = -90.0;

/// How a sender encodes.
#[derive(Clone, Copy, Debug)]
struct Coder {
    application: opus::Application,
    channels: opus::Channels,
    bitrate_bps: i32,
    packet: u64,
    deep: bool,
}

const fn coder(
    application: opus::Application,
    channels: opus::Channels,
    bitrate_bps: i32,
    packet: u64,
) -> Coder {
    Coder { application, channels, bitrate_bps, packet, deep: false }
}

/// SILK, hybrid and CELT, mono and stereo, packets of 2.5 to 120 ms (the longest of two frames), deep redundancy.
const CODERS: [Coder; 13] = {
    use opus::{
        Application::{Audio, LowDelay, Voip},
        Channels::{Mono, Stereo},
    };
    [
        coder(Voip, Mono, 24_000, 480),
        coder(Voip, Mono, 24_000, 960),
        coder(Voip, Mono, 24_000, 1_920),
        coder(Voip, Mono, 24_000, 2_880),
        coder(Voip, Mono, 24_000, 5_760),
        coder(Voip, Mono, 12_000, 960),
        coder(Voip, Stereo, 40_000, 960),
        coder(Voip, Stereo, 40_000, 2_880),
        coder(Audio, Mono, 48_000, 960),
        coder(Audio, Stereo, 128_000, 960),
        coder(LowDelay, Mono, 64_000, 120),
        coder(LowDelay, Stereo, 96_000, 480),
        Coder { deep: true, ..coder(Voip, Mono, 96_000, 960) },
    ]
};

/// A loud, steady vowel.
fn vowel(sample: u64) -> f32 {
    let t = sample as f32 / 48_000.0;
    let phase = std::f32::consts::TAU * (130.0 * t + 2.0 * (3.0 * t).sin());
    0.25 * (1..20_u8).map(|k| (phase * f32::from(k)).sin() / f32::from(k)).sum::<f32>()
}

/// An encoder that runs.
enum Encoder {
    Plain(Box<opus::Encoder>),
    Deep(Box<codec::Encoder>),
}

impl Encoder {
    fn new(coder: Coder) -> Self {
        if coder.deep {
            let config = EncoderConfig {
                bitrate_bps: coder.bitrate_bps as u32,
                expected_loss_percent: 40,
                deep_redundancy: Samples::from_ms(1_040),
                ..EncoderConfig::default()
            };
            return Self::Deep(Box::new(codec::Encoder::new(&config, Channels::Mono).unwrap()));
        }
        let mut encoder = opus::Encoder::new(48_000, coder.channels, coder.application).unwrap();
        encoder.set_bitrate(opus::Bitrate::Bits(coder.bitrate_bps)).unwrap();
        encoder.set_inband_fec(true).unwrap();
        encoder.set_packet_loss_perc(20).unwrap();
        Self::Plain(Box::new(encoder))
    }

    fn encode(&mut self, said: &[f32]) -> Vec<u8> {
        match self {
            Self::Plain(encoder) => encoder.encode_vec_float(said, 4_000).unwrap(),
            Self::Deep(encoder) => {
                let mut bytes = vec![0; MAX_PAYLOAD_BYTES];
                let length = encoder.encode(said, &mut bytes).unwrap();
                bytes.truncate(length);
                bytes
            }
        }
    }
}

/// A packet as it was sent.
#[derive(Clone)]
struct Sent {
    at: u64,
    epoch: u32,
    payload: Vec<u8>,
}

impl Coder {
    /// Everything up to `end`; while the sender sleeps its encoder stands still and nothing is sent.
    fn send(self, spoken: &Range<u64>, asleep: &Range<u64>, epoch: u32, within: Range<u64>) -> Vec<Sent> {
        let mut encoder = Encoder::new(self);
        let starts = (within.start / self.packet * self.packet..within.end).step_by(self.packet as usize);
        let awake = starts.filter(|at| !asleep.contains(at));
        let sample = |at: u64| if spoken.contains(&at) { vowel(at) } else { 0.0 };
        let channels = self.channels as usize;
        let said = |at: u64| -> Vec<f32> {
            (at..at + self.packet).flat_map(|at| vec![sample(at); channels]).collect()
        };
        awake.map(|at| Sent { at, epoch, payload: encoder.encode(&said(at)) }).collect()
    }

    /// Where a listener begins to listen. The high-pass filter of an encoder that is not set up for voices leaves an
    /// offset behind a voice that breaks off, which fades with 3 Hz: one number, some −75 dBFS after 60 ms, which is
    /// no voice. A voice has nothing below 80 Hz.
    fn lowest_hz(self) -> f64 {
        if self.application == opus::Application::Audio { 80.0 } else { 0.0 }
    }

    /// Where frames of 10 ms are lost, decoders put comfort noise of up to −85.7 dBFS: one or two units of 16 bits. Of the
    /// offset above they make −89.7.
    fn limit_dbfs(self, gate: Gate) -> f64 {
        match self.application {
            // CELT codes that offset, and a mute does not wait until it has gone.
            opus::Application::LowDelay if gate == Gate::Mute => -50.0,
            _ if self.packet == 480 => SILENT_DBFS + 5.0,
            opus::Application::Audio => SILENT_DBFS + 1.0,
            _ => SILENT_DBFS,
        }
    }

    fn listeners(self) -> Channels {
        if self.channels == opus::Channels::Stereo { Channels::Stereo } else { Channels::Mono }
    }
}

/// What shuts the gate where the voice speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gate {
    Refusal,
    Mute,
    Pause,
    Absence,
}

/// What the sender does at the opening gate.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sender {
    Runs,
    /// Its encoder stands still from shortly before the gate opens until a second later.
    Sleeps,
    /// Another encoder that heard the refused voice last takes over a moment after.
    Restarts,
}

/// One voice: silent where it may be kept, loud from `shut` to `open`.
#[derive(Clone, Copy, Debug)]
struct Story {
    coder: Coder,
    gate: Gate,
    sender: Sender,
    shut: u64,
    open: u64,
    end: u64,
}

impl Story {
    fn sent(&self) -> Vec<Sent> {
        let loud = self.shut..self.open;
        let asleep = if self.sender == Sender::Sleeps {
            self.open - self.coder.packet - 500..self.open + 48_000
        } else {
            0..0
        };
        let handover = self.open + 9_600;
        if self.sender != Sender::Restarts {
            return self.coder.send(&loud, &asleep, 0, 0..self.end);
        }
        let first = self.coder.send(&loud, &asleep, 0, 0..handover);
        let slept = self.open - self.coder.packet..handover;
        let other = self.coder.send(&loud, &slept, 1, self.shut..self.end);
        let end = first.last().map_or(0, |last| last.at + self.coder.packet);
        first.into_iter().chain(other.into_iter().filter(|sent| sent.at >= end)).collect()
    }

    /// 20 % of the packets are lost; the others come up to 80 ms late, some of them out of order.
    fn arrivals<'a>(&self, sent: &'a [Sent], rng: &mut Rng) -> Vec<VoicePacket<'a>> {
        let mut packets = Vec::new();
        let mut seen = None;
        for (sequence, sent) in (0..).zip(sent) {
            let first = seen.replace(sent.epoch) != Some(sent.epoch);
            let (lost, late) = (rng.chance(0.2), rng.chance(0.5));
            let jitter = if late && !first { rng.between(0.0, 3_840.0) as u64 } else { 0 };
            if first || !lost {
                packets.push(VoicePacket {
                    speaker: MARA,
                    epoch: sent.epoch,
                    sequence,
                    media: MediaTime::ORIGIN + Samples::new(sent.at),
                    arrived: at(sent.at + jitter),
                    duration: Samples::new(self.coder.packet),
                    marker: false,
                    payload: &sent.payload,
                });
            }
        }
        packets
    }

    fn shut(&self, recorder: &mut Recorder) {
        let shut = at(self.shut);
        match self.gate {
            Gate::Refusal => recorder.close(MARA, shut),
            Gate::Mute => recorder.mute(MARA, shut),
            Gate::Pause => recorder.pause(shut),
            Gate::Absence => recorder.leave(MARA, shut),
        }
    }

    fn open(&self, recorder: &mut Recorder) {
        let open = at(self.open);
        match self.gate {
            Gate::Refusal => recorder.open(proof(open)),
            Gate::Mute => recorder.unmute(MARA, open),
            Gate::Pause => recorder.resume(open),
            Gate::Absence => {
                recorder.join(MARA, "mara", open).unwrap();
                recorder.open(proof(open));
            }
        }
    }

    /// What is heard in the track, and how many packets of the voice stand in it.
    fn record(&self, rng: &mut Rng) -> (Overheard, u64) {
        let (dir, sent) = (tempfile::tempdir().unwrap(), self.sent());
        let mut recorder = recorder(dir.path());
        recorder.join(MARA, "mara", at(0)).unwrap();
        recorder.open(proof(at(0)));
        // A moment after the gate shut the recorder is told: no later than packets are held back for.
        let told = at(self.shut + 9_600);
        let (before, after): (Vec<_>, Vec<_>) =
            self.arrivals(&sent, rng).into_iter().partition(|it| it.arrived < at(self.open));
        let (before, between) = before.into_iter().partition(|it| it.arrived < told);
        play(&mut recorder, before);
        self.shut(&mut recorder);
        play(&mut recorder, between);
        self.open(&mut recorder);
        play(&mut recorder, after);
        let session = recorder.finish(at(self.end)).unwrap();
        let heard =
            overhear(&read(dir.path(), "mara").packets, self.coder.listeners(), self.coder.lowest_hz())
                .unwrap();
        (heard, session.tracks["mara"].recorded)
    }

    /// What a gate would leak that keeps every packet of the open time.
    fn naive(&self) -> Overheard {
        let open = |sent: &&Sent| sent.at >= self.open || sent.at + self.coder.packet <= self.shut;
        let kept: Vec<Vec<u8>> = self.sent().iter().filter(open).map(|sent| sent.payload.clone()).collect();
        overhear(&kept, self.coder.listeners(), self.coder.lowest_hz()).unwrap()
    }
}

fn proof(from: SampleTime) -> Recordable {
    Recordable::dangerously_without_consent(MARA, from)
}

#[test]
fn nothing_refused_is_heard_whatever_encodes_it_and_however_it_is_decoded() {
    let mut rng = Rng::new(6);
    let mut naive_dbfs = f64::NEG_INFINITY;
    for (place, coder) in CODERS.into_iter().enumerate() {
        for (turn, gate) in [Gate::Refusal, Gate::Mute, Gate::Pause, Gate::Absence].into_iter().enumerate() {
            let sender = [Sender::Runs, Sender::Sleeps, Sender::Restarts][(place + turn) % 3];
            let shut = 24_000 + rng.bits() % 2_880;
            let open = shut + 24_000 + rng.bits() % 2_880;
            let end = open + if coder.deep { 110_400 } else { 72_000 };
            let story = Story { coder, gate, sender, shut, open, end };
            let (heard, recorded) = story.record(&mut rng);

            assert!(heard.worst_dbfs() < coder.limit_dbfs(gate), "{heard:?} in {story:?}");
            assert!(recorded * coder.packet > 24_000, "{recorded} packets of {story:?}");
            if turn == 0 {
                naive_dbfs = naive_dbfs.max(story.naive().worst_dbfs());
            }
        }
    }
    assert!(naive_dbfs > -20.0, "ears that hear nothing prove nothing: {naive_dbfs}");
}

/// A clock that is anchored while its network is slow puts later packets behind their arrival: what came before the yes
/// was said before it, whatever its place.
#[test]
fn what_arrived_before_the_grant_was_said_before_it() {
    let coder = CODERS[1];
    let granted = 240_000;
    let sent = coder.send(&(0..granted), &(0..0), 0, 0..granted + 96_000);
    let transit = |at: u64| if at < 105_600 { 12_000 } else { 0 };
    let packets = (0..).zip(&sent).map(|(sequence, sent)| VoicePacket {
        speaker: MARA,
        epoch: 0,
        sequence,
        media: MediaTime::ORIGIN + Samples::new(sent.at),
        arrived: at(sent.at + transit(sent.at)),
        duration: Samples::new(coder.packet),
        marker: false,
        payload: &sent.payload,
    });
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(dir.path());
    recorder.join(MARA, "mara", at(0)).unwrap();
    recorder.open(proof(at(granted)));
    play(&mut recorder, packets.collect());
    assert!(recorder.finish(at(granted + 120_000)).unwrap().tracks["mara"].recorded > 90);
    let heard = overhear(&read(dir.path(), "mara").packets, Channels::Mono, 0.0).unwrap();
    assert!(heard.worst_dbfs() < SILENT_DBFS, "{heard:?}");
}

/// Not one sample behind a withdrawal, counted in 16 bits as players decode.
#[test]
fn a_withdrawal_leaves_no_sample_behind_it() {
    for coder in CODERS.into_iter().filter(|coder| coder.channels == opus::Channels::Mono) {
        for offset in [0, 1, 479, 959] {
            let withdrawn = 48_000 + offset;
            let sent = coder.send(&(0..96_000), &(0..0), 0, 0..96_000);
            let story =
                Story { coder, gate: Gate::Refusal, sender: Sender::Runs, shut: 0, open: 0, end: 96_000 };
            let dir = tempfile::tempdir().unwrap();
            let mut recorder = recorder(dir.path());
            recorder.join(MARA, "mara", at(0)).unwrap();
            recorder.open(proof(at(0)));
            recorder.close(MARA, at(withdrawn));
            play(&mut recorder, story.arrivals(&sent, &mut Rng::new(offset)));
            recorder.finish(at(96_000)).unwrap();
            let file = read(dir.path(), "mara");
            let mut decoder = opus::Decoder::new(48_000, opus::Channels::Mono).unwrap();
            let (mut played, mut block) = (Vec::new(), vec![0_i16; 5_760]);
            for packet in &file.packets {
                let samples = decoder.decode(packet, &mut block, false).unwrap();
                played.extend_from_slice(&block[..samples]);
            }
            let played = &played[file.pre_skip..];
            let last = played.iter().rposition(|sample| *sample != 0).unwrap() as u64;
            assert!(last < withdrawn && last > withdrawn - 19_200, "{last} of {withdrawn}, {coder:?}");
        }
    }
}
