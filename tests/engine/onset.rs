use crate::desk::{Desk, PACKET, datagram, samples};
use tertulia::{
    engine::Codec,
    speaker::SpeakerSet,
    time::{Quantum, SampleTime},
};

/// Where the sound comes back, in packets: 1.5 s after packet 49 nothing of the voice is left, and its background lingers.
const FIRST: u64 = 125;

/// A voice of 1 s, a silence in which nothing is sent, a word of 400 ms. What was heard from just before the word on.
fn word(quantum: Quantum) -> Vec<f32> {
    let mut desk = Desk::new(quantum);
    let speaker = desk.admit(0, Codec::Pcm);
    desk.open(SpeakerSet::EVERYBODY, None);
    let mut heard = Vec::new();
    for packet in (0..50).chain(FIRST..FIRST + 20) {
        let at = SampleTime::from_samples(packet * PACKET as u64);
        while desk.engine.now() < at {
            let sound = desk.tick().remove(0);
            if packet >= FIRST {
                heard.extend(sound);
            }
        }
        // Sequence numbers count what was sent, the clock runs on.
        let sequence = if packet < 50 { packet } else { packet - FIRST + 50 } as u16;
        let payload: Vec<u8> =
            samples(0, packet as u16).iter().flat_map(|sample| sample.to_be_bytes()).collect();
        let mut bytes = datagram(1, sequence, &payload);
        bytes[4..8].copy_from_slice(&(packet as u32 * PACKET as u32).to_be_bytes());
        let received = desk.engine.receive(speaker, &bytes, at);
        assert!(matches!(received, tertulia::engine::Received::Kept(_)));
    }
    (0..10).for_each(|_| heard.extend(desk.tick().remove(0)));
    heard
}

#[test]
fn the_first_word_after_a_silence_is_whole_at_any_quantum() {
    let said: Vec<f32> = (FIRST..FIRST + 20)
        .flat_map(|packet| samples(0, packet as u16))
        .map(|sample| f32::from(sample) / 32768.0)
        .collect();
    for quantum in [Quantum::Ms2_5, Quantum::Ms5, Quantum::Ms10, Quantum::Ms20] {
        let heard = word(quantum);
        // It comes out of the background within 5 ms; from there on it is the very sound.
        let whole = &said[240..said.len() - PACKET];
        let starts = heard.windows(whole.len()).position(|stretch| stretch == whole);
        let starts = starts.unwrap() - 240;
        let (onset, said) = (&heard[starts..starts + 240], &said[..240]);
        let risen = onset.iter().zip(said).enumerate().all(|(at, (heard, said))| {
            // Nothing else is heard here but a background below −50 dBFS.
            (heard - said * (at + 1) as f32 / 240.0).abs() < 0.01
        });
        assert!(risen, "{quantum:?}: the onset is clipped");
    }
}
