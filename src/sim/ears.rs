//! Somebody who wants to hear more than was kept. In come a track's packets, out comes how loud it gets in each way to
//! decode them: as a player does, by the in-band copies, by deep redundancy, and by what a decoder goes on to invent.

use crate::{
    codec::{Codec, CodecError, Decoder, DeepScratch, MAX_PACKET_SAMPLES},
    frame::Channels,
    packet::{has_dred, opus},
    time::{RATE_HZ, Samples},
};

/// The loudest 20 ms of each way, their mean power in dB of full scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overheard {
    /// Packet after packet.
    pub played_dbfs: f64,
    /// The in-band copy in each packet, by a decoder that heard all before it and by one that heard nothing.
    pub copied_dbfs: f64,
    /// What each packet's deep redundancy tells, wherever it reaches.
    pub deep_dbfs: f64,
    /// 100 ms of concealment behind each packet.
    pub invented_dbfs: f64,
}

impl Overheard {
    /// Exact zeros.
    pub const NOTHING: Self = Self {
        played_dbfs: SILENCE_DBFS,
        copied_dbfs: SILENCE_DBFS,
        deep_dbfs: SILENCE_DBFS,
        invented_dbfs: SILENCE_DBFS,
    };

    /// The loudest way.
    #[must_use]
    pub fn worst_dbfs(&self) -> f64 {
        [self.played_dbfs, self.copied_dbfs, self.deep_dbfs, self.invented_dbfs]
            .into_iter()
            .fold(SILENCE_DBFS, f64::max)
    }
}

/// Where this scale ends: 24 bits hold nothing below −144.5.
pub const SILENCE_DBFS: f64 = -200.0;

/// The mean power of the loudest 20 ms, in dB of full scale, at least [`SILENCE_DBFS`].
#[must_use]
pub fn loudest_dbfs(samples: &[f32], channels: Channels) -> f64 {
    let blocks = samples.chunks(960 * channels.count());
    let power = |block: &[f32]| {
        block.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / block.len() as f64
    };
    (10.0 * blocks.map(power).fold(0.0, f64::max).log10()).max(SILENCE_DBFS)
}

/// Decodes a track's packets in every way. What lies below `from_hz` is not listened to.
///
/// # Errors
/// There is no decoder to be had.
pub fn overhear(packets: &[Vec<u8>], channels: Channels, from_hz: f64) -> Result<Overheard, CodecError> {
    let mut ears = Ears { channels, from_hz, out: vec![0.0; MAX_PACKET_SAMPLES * channels.count()] };
    Ok(Overheard {
        played_dbfs: ears.play(packets)?,
        copied_dbfs: ears.copies(packets)?,
        deep_dbfs: ears.deep(packets)?,
        invented_dbfs: ears.inventions(packets)?,
    })
}

struct Ears {
    channels: Channels,
    from_hz: f64,
    out: Vec<f32>,
}

impl Ears {
    fn decoder(&self) -> Result<Decoder, CodecError> {
        Decoder::new(Codec::Opus, self.channels)
    }

    /// The front of `out` that takes this much sound.
    fn room(&mut self, samples: usize) -> &mut [f32] {
        let room = &mut self.out[..samples * self.channels.count()];
        room.fill(0.0);
        room
    }

    fn level(&self, mut heard: Vec<f32>) -> f64 {
        if self.from_hz > 0.0 {
            (0..self.channels.count()).for_each(|channel| high_pass(&mut heard, self, channel));
        }
        loudest_dbfs(&heard, self.channels)
    }

    fn decode<'a>(&'a mut self, decoder: &mut Decoder, packet: &[u8]) -> &'a [f32] {
        let decoded = decoder.decode(packet, &mut self.out).unwrap_or(0);
        &self.out[..decoded * self.channels.count()]
    }

    fn play(&mut self, packets: &[Vec<u8>]) -> Result<f64, CodecError> {
        let (mut decoder, mut heard) = (self.decoder()?, Vec::new());
        packets.iter().for_each(|packet| heard.extend_from_slice(self.decode(&mut decoder, packet)));
        Ok(self.level(heard))
    }

    fn copies(&mut self, packets: &[Vec<u8>]) -> Result<f64, CodecError> {
        let (mut loud, mut listener) = (SILENCE_DBFS, self.decoder()?);
        for packet in packets {
            if opus::has_lbrr(packet) {
                loud = loud.max(self.copy(&mut listener, packet));
                let mut newcomer = self.decoder()?;
                loud = loud.max(self.copy(&mut newcomer, packet));
            }
            self.decode(&mut listener, packet);
        }
        Ok(loud)
    }

    fn copy(&mut self, decoder: &mut Decoder, packet: &[u8]) -> f64 {
        let frame = packet.first().map_or(0, |toc| opus::Toc(*toc).frame().len());
        let out = self.room(frame);
        if decoder.recover(packet, out).is_err() {
            return SILENCE_DBFS;
        }
        let heard = out.to_vec();
        self.level(heard)
    }

    fn deep(&mut self, packets: &[Vec<u8>]) -> Result<f64, CodecError> {
        let (mut loud, mut scratch) = (SILENCE_DBFS, DeepScratch::new()?);
        for packet in packets.iter().filter(|packet| has_dred(packet)) {
            let reach = self.decoder()?.deep_reach(packet, &mut scratch).back.count();
            for back in (CHUNK..=reach + CHUNK - 1).step_by(CHUNK as usize).map(|back| back.min(reach)) {
                let mut decoder = self.decoder()?;
                // A decoder that has heard nothing yet recovers silence.
                self.decode(&mut decoder, packet);
                let out = self.room(CHUNK as usize);
                if decoder.recover_deep(packet, Samples::new(back), out, &mut scratch).is_ok() {
                    let heard = out.to_vec();
                    loud = loud.max(self.level(heard));
                }
            }
        }
        Ok(loud)
    }

    fn inventions(&mut self, packets: &[Vec<u8>]) -> Result<f64, CodecError> {
        let mut loud = SILENCE_DBFS;
        for run in (1..=packets.len()).map(|end| &packets[end.saturating_sub(WARM)..end]) {
            let mut decoder = self.decoder()?;
            for packet in run {
                self.decode(&mut decoder, packet);
            }
            let out = self.room(MAX_PACKET_SAMPLES * 5 / 6);
            decoder.conceal(out);
            let heard = out.to_vec();
            loud = loud.max(self.level(heard));
        }
        Ok(loud)
    }
}

/// Deep redundancy comes in chunks of 40 ms.
const CHUNK: u64 = 1_920;

/// A decoder that has heard as many packets invents as one that heard all.
const WARM: usize = 4;

/// Four high-pass filters of first order in a row, 24 dB an octave.
fn high_pass(heard: &mut [f32], ears: &Ears, channel: usize) {
    let keep = (-std::f64::consts::TAU * ears.from_hz / f64::from(RATE_HZ)).exp();
    for _ in 0..4 {
        let (mut before, mut passed) = (0.0, 0.0);
        for sample in heard.iter_mut().skip(channel).step_by(ears.channels.count()) {
            let now = f64::from(*sample);
            passed = keep * (passed + now - before);
            before = now;
            *sample = passed as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Talker;

    #[test]
    fn whoever_listens_hears_a_voice_in_every_way_it_is_told() {
        let spoken: Vec<Vec<u8>> = Talker::new(3).packets().take(100).map(Into::into).collect();
        let heard = overhear(&spoken, Channels::Mono, 0.0).unwrap();
        let Overheard { played_dbfs, copied_dbfs, invented_dbfs, .. } = heard;
        assert!([played_dbfs, copied_dbfs, invented_dbfs].iter().all(|level| *level > -30.0), "{heard:?}");
        assert!(heard.deep_dbfs <= SILENCE_DBFS, "it told nothing in depth");
        let silence = vec![vec![0xF8, 0xFF, 0xFE]; 20];
        assert!(overhear(&silence, Channels::Mono, 0.0).unwrap().worst_dbfs() < -150.0);
    }

    #[test]
    fn a_level_is_that_of_the_loudest_20_ms() {
        let mut samples = vec![0.0; 4_800];
        samples[960..1_920].fill(0.1);
        assert!((loudest_dbfs(&samples, Channels::Mono) + 20.0).abs() < 1e-3);
        assert!(loudest_dbfs(&samples[2_000..], Channels::Mono) <= SILENCE_DBFS);
    }
}
