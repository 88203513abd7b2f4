//! What is said over every trace: an Ogg Opus file comes in, or the voices of the panel one after the other with their
//! long silences cut; the same as 32 kb/s Opus with or without in-band FEC leaves, for every sender to repeat.

use std::path::Path;
use tertulia::{
    frame::Channels,
    packet::opus::voice_active,
    sim::OpusFile,
    time::{RATE_HZ, Samples},
};

const PANEL: [&str; 6] = ["michael", "sarah", "fenrir", "emma", "george", "puck"];
const FRAME: usize = Samples::from_ms(20).len();
/// A pause for breath: more of a silence is not kept.
const LONGEST_PAUSE: usize = 30;

/// Reads and codes it again. With FEC the encoder expects 30 % of loss.
pub(crate) fn voice(file: Option<&Path>, fec: bool) -> Result<OpusFile, String> {
    let pcm = match file {
        Some(file) => decode(file, usize::MAX)?,
        None => {
            let panel = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/panel");
            let voices = PANEL.map(|name| decode(&panel.join(name).with_extension("opus"), LONGEST_PAUSE));
            voices.into_iter().collect::<Result<Vec<_>, _>>()?.concat()
        }
    };
    let packets = encode(&pcm, fec).map_err(|error| error.to_string())?;
    Ok(OpusFile { channels: Channels::Mono, pre_skip: 0, packets })
}

fn decode(file: &Path, longest_pause: usize) -> Result<Vec<f32>, String> {
    let packets = OpusFile::read(file).map_err(|error| error.to_string())?.packets;
    let undecodable = |error: opus::Error| format!("{}: {error}", file.display());
    let mut decoder = opus::Decoder::new(RATE_HZ, opus::Channels::Mono).map_err(undecodable)?;
    let (mut pcm, mut frame, mut pause) = (Vec::new(), [0.0; FRAME], 0);
    for packet in &packets {
        decoder.decode_float(packet, &mut frame, false).map_err(undecodable)?;
        pause = if voice_active(packet) == Some(false) { pause + 1 } else { 0 };
        if pause <= longest_pause {
            pcm.extend(frame);
        }
    }
    Ok(pcm)
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
    use tertulia::packet::opus::has_lbrr;

    #[test]
    fn the_default_voice_talks_most_of_the_time_and_carries_copies_if_asked() {
        let share = |voice: &OpusFile, is: fn(&[u8]) -> bool| {
            voice.packets.iter().filter(|packet| is(packet)).count() as f64 / voice.packets.len() as f64
        };
        let (plain, fec) = (voice(None, false).unwrap(), voice(None, true).unwrap());
        let talks = share(&plain, |packet| voice_active(packet) == Some(true));
        assert!(talks > 0.5 && talks < 0.9, "{talks}");
        assert!(share(&plain, has_lbrr) <= 0.0);
        assert!(share(&fec, has_lbrr) > 0.5);
    }
}
