//! A recorder that writes nothing: what it would write is handed on, packet by packet, to whoever writes down what is said.
//! In come the same packets and decisions, behind the same gates; out come each voice's own packets at their room samples.

use super::{config::RecorderConfig, nowhere::Nowhere, read::TrackPacket, recorder::Recorder};
use crate::time::SampleTime;
use std::path::Path;

impl Recorder {
    /// A recorder without a disk, for a transcript. Its gates are a recording's, to the sample; its key is
    /// [`Transcribable`](crate::consent::Transcribable).
    pub(crate) fn scribe(config: RecorderConfig) -> Self {
        let mut recorder = Self::new(RecorderConfig { sync: None, ..config });
        recorder.is_heard = true;
        // Nowhere takes everything.
        let _ = recorder.open_store(Box::new(Nowhere), Path::new("nowhere"), SampleTime::ZERO);
        recorder
    }

    /// What was kept of each voice since this was last asked, in order. Silence, gaps and what was shut out are not told.
    pub(crate) fn take_said(&mut self) -> impl Iterator<Item = (&str, TrackPacket)> {
        self.tracks.iter_mut().flat_map(|(name, track)| {
            let said = track.tape.take_said();
            said.into_iter().map(|packet| (name.as_str(), packet))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        consent::{Opening, Transcribable},
        speaker::{SpeakerId, VoicePacket},
        time::{MediaTime, Samples},
    };

    const MARA: SpeakerId = SpeakerId(0);

    fn at(ms: u32) -> SampleTime {
        SampleTime::ZERO + Samples::from_ms(ms)
    }

    /// Ten seconds of packets that hold their own number.
    fn speak(scribe: &mut Recorder) -> Vec<TrackPacket> {
        let mut said = Vec::new();
        for number in 0..500_u32 {
            let arrived = at(20 * number);
            scribe.packet(VoicePacket {
                speaker: MARA,
                epoch: 0,
                sequence: number.into(),
                media: MediaTime::ORIGIN + Samples::from_ms(20 * number),
                arrived,
                duration: Samples::from_ms(20),
                marker: false,
                payload: &[[0x48].as_slice(), &number.to_be_bytes()].concat(),
            });
            scribe.advance(arrived).unwrap();
            said.extend(scribe.take_said().map(|(name, packet)| {
                assert_eq!(name, "mara");
                packet
            }));
        }
        said
    }

    #[test]
    fn nothing_is_told_without_a_yes() {
        let mut scribe = Recorder::scribe(RecorderConfig::default());
        scribe.join(MARA, "mara", at(0)).unwrap();
        assert_eq!(speak(&mut scribe), []);
    }

    #[test]
    fn what_is_told_lies_between_yes_and_no_and_each_packet_on_its_sample() {
        let mut scribe = Recorder::scribe(RecorderConfig::default());
        scribe.join(MARA, "mara", at(0)).unwrap();
        scribe.unlock(&Opening::by(&Transcribable::dangerously_without_consent(MARA, at(3_000))));
        scribe.close(MARA, at(5_000));
        let said = speak(&mut scribe);
        // The first three frames behind a gate may tell of what was said before it.
        let numbers: Vec<u32> = (153..250).collect();
        let told = said.iter().map(|it| u32::from_be_bytes(it.payload[1..].try_into().unwrap()));
        assert_eq!(told.collect::<Vec<_>>(), numbers);
        let places = numbers.iter().map(|number| i64::from(number * 960));
        assert_eq!(said.iter().map(|it| it.at).collect::<Vec<_>>(), places.collect::<Vec<_>>());
    }
}
