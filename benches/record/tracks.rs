//! Many tracks at once, as quick as they go: simulated seconds on a real disk.

use crate::cpu;
use std::error::Error;
use tertulia::{
    consent::Recordable,
    record::{Recorder, RecorderConfig},
    sim::Talker,
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, SampleTime, Samples},
};

/// Packets before a voice begins anew.
const LOOP: usize = 250;
const PACKET: u64 = 960;

pub(crate) fn at_once(tracks: u16, seconds: u64) -> Result<(), Box<dyn Error>> {
    let voices: Vec<Vec<Box<[u8]>>> =
        (0..8).map(|seed| Talker::new(seed).packets().take(LOOP).collect()).collect();
    let dir = tempfile::tempdir()?;
    let mut recorder = Recorder::create(dir.path(), RecorderConfig::default())?;
    for speaker in (0..tracks).map(SpeakerId) {
        recorder.join(speaker, &format!("s{}", speaker.0), SampleTime::ZERO)?;
        recorder.open(Recordable::dangerously_without_consent(speaker, SampleTime::ZERO));
    }
    // What tracks cost when they begin is left out: files are made once.
    let mut speak = |packets: std::ops::Range<u64>| -> Result<(), Box<dyn Error>> {
        for number in packets {
            let arrived = SampleTime::from_samples(number * PACKET);
            for speaker in (0..tracks).map(SpeakerId) {
                let voice = &voices[usize::from(speaker.0) % voices.len()];
                recorder.packet(packet(speaker, number, arrived, &voice[number as usize % LOOP]));
            }
            recorder.advance(arrived)?;
        }
        Ok(())
    };
    speak(0..150)?;
    let before = cpu::of_this_thread();
    speak(150..150 + 50 * seconds)?;
    let spent = (cpu::of_this_thread() - before).as_secs_f64() / seconds as f64;
    println!("{tracks} tracks at once, all talk: {:.2} % of a core, synced every second", spent * 100.0);
    recorder.finish(SampleTime::from_samples((150 + 50 * seconds) * PACKET))?;
    Ok(())
}

fn packet(speaker: SpeakerId, number: u64, arrived: SampleTime, payload: &[u8]) -> VoicePacket<'_> {
    VoicePacket {
        speaker,
        epoch: 0,
        sequence: number,
        media: MediaTime::ORIGIN + Samples::new(number * PACKET),
        arrived,
        duration: Samples::new(PACKET),
        marker: false,
        payload,
    }
}
