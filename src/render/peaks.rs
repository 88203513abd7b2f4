//! A waveform to look at: the lowest and highest sample of each pixel, in the formats that waveform players read
//! (audiowaveform's data format, version 2: JSON and binary).

use crate::{frame::Channels, time::RATE_HZ};
use serde::Serialize;

/// A waveform in the making: samples come in, pixels pile up.
#[derive(Clone, Debug)]
pub struct Peaks {
    channels: Channels,
    samples_per_pixel: u32,
    bits: Bits,
    /// Lowest and highest of each channel, of each whole pixel.
    data: Vec<i16>,
    /// The same of the pixel that is not whole yet.
    open: [(f32, f32); 2],
    filled: u32,
}

/// How exact a waveform is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bits {
    /// −128 … 127: what all players read.
    #[default]
    Eight,
    /// −32768 … 32767.
    Sixteen,
}

const EMPTY: (f32, f32) = (f32::INFINITY, f32::NEG_INFINITY);

/// The file's fields, in the order that audiowaveform writes them.
#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    channels: usize,
    sample_rate: u32,
    samples_per_pixel: u32,
    bits: u32,
    length: usize,
    data: &'a [i16],
}

impl Peaks {
    /// No waveform yet; `samples_per_pixel` is 1 at least.
    #[must_use]
    pub fn new(channels: Channels, samples_per_pixel: u32, bits: Bits) -> Self {
        let samples_per_pixel = samples_per_pixel.max(1);
        Self { channels, samples_per_pixel, bits, data: Vec::new(), open: [EMPTY; 2], filled: 0 }
    }

    /// Adds interleaved samples.
    pub fn push(&mut self, samples: &[f32]) {
        for frame in samples.chunks_exact(self.channels.count()) {
            for ((low, high), sample) in self.open.iter_mut().zip(frame) {
                (*low, *high) = (low.min(*sample), high.max(*sample));
            }
            self.filled += 1;
            if self.filled == self.samples_per_pixel {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let open = std::mem::replace(&mut self.open, [EMPTY; 2]);
        for (low, high) in &open[..self.channels.count()] {
            self.data.extend([low, high].map(|sample| self.bits.of(*sample)));
        }
        self.filled = 0;
    }

    /// A last pixel that is not whole counts too.
    #[must_use]
    pub fn finish(mut self) -> Self {
        if self.filled > 0 {
            self.close();
        }
        self
    }

    /// How many pixels it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len() / 2 / self.channels.count()
    }

    /// None?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The lowest and highest sample of a channel in each pixel, −1 … 1.
    pub fn pixels(&self, channel: usize) -> impl Iterator<Item = (f32, f32)> + '_ {
        let full = self.bits.full_scale();
        let pairs = self.data.chunks_exact(2).skip(channel).step_by(self.channels.count());
        pairs.map(move |pair| (f32::from(pair[0]) / full, f32::from(pair[1]) / full))
    }

    /// As `.json`.
    #[must_use]
    pub fn json(&self) -> String {
        let json = Json {
            version: 2,
            channels: self.channels.count(),
            sample_rate: RATE_HZ,
            samples_per_pixel: self.samples_per_pixel,
            bits: self.bits.count(),
            length: self.len(),
            data: &self.data,
        };
        serde_json::to_string(&json).unwrap_or_default()
    }

    /// As `.dat`: version, flags (bit 0: eight bits), rate, samples per pixel, length, channels, then the data; all
    /// little-endian.
    #[must_use]
    pub fn dat(&self) -> Vec<u8> {
        let eight = self.bits == Bits::Eight;
        let head = [
            2,
            u32::from(eight),
            RATE_HZ,
            self.samples_per_pixel,
            self.len() as u32,
            self.channels.count() as u32,
        ];
        let mut bytes = head.map(u32::to_le_bytes).concat();
        match self.bits {
            Bits::Eight => bytes.extend(self.data.iter().map(|value| *value as u8)),
            Bits::Sixteen => bytes.extend(self.data.iter().flat_map(|value| value.to_le_bytes())),
        }
        bytes
    }
}

impl Bits {
    const fn count(self) -> u32 {
        match self {
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }

    const fn full_scale(self) -> f32 {
        match self {
            Self::Eight => 128.0,
            Self::Sixteen => 32_768.0,
        }
    }

    fn of(self, sample: f32) -> i16 {
        let full = self.full_scale();
        (sample * full).floor().clamp(-full, full - 1.0) as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_hold_the_lowest_and_highest_of_each_channel() {
        let mut peaks = Peaks::new(Channels::Stereo, 2, Bits::Eight);
        peaks.push(&[0.5, -0.25, -1.0, 0.0]);
        peaks.push(&[0.25, 1.0]);
        let peaks = peaks.finish();
        assert_eq!(
            peaks.json(),
            "{\"version\":2,\"channels\":2,\"sample_rate\":48000,\"samples_per_pixel\":2,\"bits\":8,\"length\":2,\
             \"data\":[-128,64,-32,0,32,32,127,127]}"
        );
        let head = [2_u32, 1, 48_000, 2, 2, 2].map(u32::to_le_bytes).concat();
        assert_eq!(peaks.dat(), [head, vec![128, 64, 224, 0, 32, 32, 127, 127]].concat());
    }
}
