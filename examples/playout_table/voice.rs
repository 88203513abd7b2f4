//! What is said over a trace: an Ogg Opus file comes in, or the voices of the panel one after the other; speech where the
//! trace's `vad` column has speech and their pauses where it has none, as 32 kb/s Opus with or without in-band FEC, leaves.

use crate::trace::Trace;
use std::path::Path;
use tertulia::{
    frame::Channels,
    packet::opus::voice_active,
    sim::OpusFile,
    time::{RATE_HZ, Samples},
};

const PANEL: [&str; 6] = ["michael", "sarah", "fenrir", "emma", "george", "puck"];
const FRAME: usize = Samples::from_ms(20).len();
/// 2.5 ms to either side of where speech and pause meet.
const SEAM: usize = 120;

/// A person who talks and pauses as a trace says.
#[derive(Clone, Debug)]
pub(crate) struct Speaker {
    speech: Vec<f32>,
    pauses: Vec<f32>,
    fec: bool,
}

impl Speaker {
    /// Reads a voice and takes it apart. With FEC its encoder will expect 30 % of loss.
    pub(crate) fn read(file: Option<&Path>, fec: bool) -> Result<Self, String> {
        let mut speaker = Self { speech: Vec::new(), pauses: Vec::new(), fec };
        match file {
            Some(file) => speaker.hear(file)?,
            None => {
                let panel = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/panel");
                PANEL.iter().try_for_each(|name| speaker.hear(&panel.join(name).with_extension("opus")))?;
            }
        }
        if speaker.speech.is_empty() || speaker.pauses.is_empty() {
            return Err("expected a voice that speaks and pauses, see --opus".to_owned());
        }
        Ok(speaker)
    }

    fn hear(&mut self, file: &Path) -> Result<(), String> {
        let packets = OpusFile::read(file).map_err(|error| error.to_string())?.packets;
        let undecodable = |error: opus::Error| format!("{}: {error}", file.display());
        let mut decoder = opus::Decoder::new(RATE_HZ, opus::Channels::Mono).map_err(undecodable)?;
        let mut frame = [0.0; FRAME];
        for packet in &packets {
            decoder.decode_float(packet, &mut frame, false).map_err(undecodable)?;
            let part = if voice_active(packet) == Some(false) { &mut self.pauses } else { &mut self.speech };
            part.extend(frame);
        }
        Ok(())
    }

    /// What is said over a trace, coded.
    pub(crate) fn says(&self, trace: &Trace) -> Result<OpusFile, String> {
        let mut pcm = Vec::with_capacity(trace.frames.len() * FRAME);
        let (mut speech, mut pauses) = (self.speech.iter().cycle(), self.pauses.iter().cycle());
        for frame in &trace.frames {
            let part = if frame.is_speech { &mut speech } else { &mut pauses };
            pcm.extend(part.take(FRAME));
        }
        let changes = trace.frames.windows(2).zip(1..);
        for (_, place) in changes.filter(|(two, _)| two[0].is_speech != two[1].is_speech) {
            soften(&mut pcm, place * FRAME);
        }
        let packets = encode(&pcm, self.fec).map_err(|error| error.to_string())?;
        Ok(OpusFile { channels: Channels::Mono, pre_skip: 0, packets })
    }
}

/// No click where two parts meet: out to nothing and in again.
fn soften(pcm: &mut [f32], seam: usize) {
    for distance in 0..SEAM {
        let gain = distance as f32 / SEAM as f32;
        pcm[seam + distance] *= gain;
        pcm[seam - 1 - distance] *= gain;
    }
}

fn encode(pcm: &[f32], fec: bool) -> Result<Vec<Box<[u8]>>, opus::Error> {
    let mut encoder = opus::Encoder::new(RATE_HZ, opus::Channels::Mono, opus::Application::Voip)?;
    encoder.set_bitrate(opus::Bitrate::Bits(32_000))?;
    encoder.set_inband_fec(fec)?;
    encoder.set_packet_loss_perc(if fec { 30 } else { 0 })?;
    let frames = pcm.chunks_exact(FRAME);
    frames.map(|frame| encoder.encode_vec_float(frame, 1275).map(Vec::into_boxed_slice)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::by_hand;
    use tertulia::packet::opus::has_lbrr;

    #[test]
    fn the_voice_speaks_where_the_trace_does_and_carries_copies_if_asked() {
        let is_speech: Vec<bool> = (0..1000).map(|at| at % 100 < 70).collect();
        let trace = by_hand(&[Some(30.0); 1000], &is_speech);
        let says = |fec| Speaker::read(None, fec).unwrap().says(&trace).unwrap().packets;
        let (plain, fec) = (says(false), says(true));
        let agree = plain.iter().zip(&is_speech).filter(|(packet, is)| voice_active(packet) == Some(**is));
        // Encoders hang over after words and take soft ends for pauses.
        assert!(agree.count() > 850);
        assert!(!plain.iter().any(|packet| has_lbrr(packet)));
        assert!(fec.iter().filter(|packet| has_lbrr(packet)).count() > 500);
    }
}
