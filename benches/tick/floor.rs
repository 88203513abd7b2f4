//! The codec floor: libopus through its plainest bindings, decoding every packet once and encoding every mix once.

use super::room::{Room, Shape, voice};
use opus::{Application, Bitrate, Channels, Decoder, Encoder};
use tertulia::engine::EncoderConfig;

/// Packets of mixes that are kept to be encoded.
const LOOP: usize = 100;

pub(crate) struct Floor {
    voices: Vec<(Decoder, Vec<Box<[u8]>>)>,
    mixes: Vec<(Encoder, Vec<Vec<f32>>)>,
    packet: usize,
    pcm: Vec<f32>,
    payload: Vec<u8>,
}

impl Floor {
    pub(crate) fn new(speakers: u16, own: bool) -> Self {
        let decoder = || Decoder::new(48_000, Channels::Mono).expect("a decoder");
        let mut mixes = vec![Vec::new(); if own { usize::from(speakers) + 1 } else { 1 }];
        let mut room = Room::new(Shape::panel(speakers, own));
        (0..LOOP).for_each(|_| room.keep_mixes(&mut mixes));
        let mut floor = Self {
            voices: (0..speakers).map(|speaker| (decoder(), voice(speaker))).collect(),
            mixes: mixes.into_iter().map(|frames| (encoder(), frames)).collect(),
            packet: 0,
            pcm: vec![0.0; 5760],
            payload: vec![0; 1500],
        };
        (0..50).for_each(|_| floor.packet_time());
        floor
    }

    pub(crate) fn packet_time(&mut self) {
        for (decoder, packets) in &mut self.voices {
            let payload = &packets[self.packet % packets.len()];
            decoder.decode_float(payload, &mut self.pcm, false).expect("a packet");
        }
        for (encoder, frames) in &mut self.mixes {
            let frame = &frames[self.packet % LOOP];
            encoder.encode_float(frame, &mut self.payload).expect("a mix");
        }
        self.packet += 1;
    }
}

/// As the engine's default, setting by setting.
fn encoder() -> Encoder {
    let default = EncoderConfig::default();
    let mut encoder = Encoder::new(48_000, Channels::Mono, Application::Voip).expect("an encoder");
    encoder.set_bitrate(Bitrate::Bits(default.bitrate_bps as i32)).expect("a bit rate");
    encoder.set_complexity(i32::from(default.complexity)).expect("a complexity");
    encoder.set_inband_fec(default.expected_loss_percent > 0).expect("in-band FEC");
    encoder.set_packet_loss_perc(i32::from(default.expected_loss_percent)).expect("a loss");
    encoder
}
