//! Deep redundancy (DRED): in comes a packet, out comes how far back it tells what was said, and, for the decoder, that
//! sound's features. The network that unfolds them works in memory of this reader, which decoders share.
#![expect(unsafe_code, reason = "libopus is C; every call has its SAFETY line")]

use super::Memory;
use crate::{
    codec::{CodecError, DeepReach},
    packet::has_dred,
    time::{RATE_HZ, Samples},
};
use opusic_sys as ffi;
use std::{ffi::c_int, sync::OnceLock};

/// Deep redundancy reaches no further: 26 chunks of 40 ms, in samples (`DRED_MAX_LATENTS`).
const DEEPEST: u64 = 26 * 1920;
/// What is unfolded beyond the wish: the decoder warms up with 20 ms, and chunks may lie up to 40 ms off.
const MARGIN: u64 = 60 * 48;
/// Longer payloads are read anew each time.
const REMEMBERED_BYTES: usize = 1500;

pub(in crate::codec) struct DredReader {
    network: Memory,
    /// Of the packet last asked about, coded; and of the one last opened, unfolded.
    coded: Memory,
    unfolded: Memory,
    open: Remembered,
}

/// Which packet is open, and how far back.
struct Remembered {
    payload: [u8; REMEMBERED_BYTES],
    length: usize,
    back: u64,
}

impl DredReader {
    pub(in crate::codec) fn new() -> Result<Self, CodecError> {
        // SAFETY: functions without arguments that tell sizes.
        let (network, dred) = unsafe { (ffi::opus_dred_decoder_get_size(), ffi::opus_dred_get_size()) };
        let mut network = Memory::of(network);
        let none = CodecError::Setup("no deep redundancy: libopus was built without it");
        if dred <= 0 {
            return Err(none);
        }
        // SAFETY: `network` is at least as large as libopus asked for, aligned for any of its types, and ours alone.
        let code = unsafe { ffi::opus_dred_decoder_init(network.as_mut_ptr()) };
        if code != ffi::OPUS_OK {
            return Err(none);
        }
        let open = Remembered { payload: [0; REMEMBERED_BYTES], length: 0, back: 0 };
        Ok(Self { network, coded: Memory::of(dred), unfolded: Memory::of(dred), open })
    }

    /// How far back `payload` tells what was said; its features are read, not unfolded.
    pub(in crate::codec) fn reach(&mut self, payload: &[u8]) -> DeepReach {
        if !has_dred(payload) {
            return DeepReach::default();
        }
        let (back, silent) = parse(&mut self.network, &mut self.coded, payload, DEEPEST, true);
        if back > silent {
            DeepReach { back: Samples::new(back), silent: Samples::new(silent) }
        } else {
            DeepReach::default()
        }
    }

    /// What `payload` tells of the sound up to `back` before it, unfolded; `None` if it does not reach so far.
    pub(super) fn open(&mut self, payload: &[u8], back: Samples) -> Option<&Memory> {
        let back = back.count();
        if !self.open.holds(payload, back) {
            if back > DEEPEST || !has_dred(payload) {
                return None;
            }
            self.open.length = 0;
            let (reach, _) = parse(&mut self.network, &mut self.unfolded, payload, back + MARGIN, false);
            if reach < back {
                return None;
            }
            self.open.keep(payload, back);
        }
        Some(&self.unfolded)
    }
}

impl Remembered {
    fn holds(&self, payload: &[u8], back: u64) -> bool {
        self.length > 0 && back <= self.back && self.payload.get(..self.length) == Some(payload)
    }

    fn keep(&mut self, payload: &[u8], back: u64) {
        if let Some(place) = self.payload.get_mut(..payload.len()) {
            place.copy_from_slice(payload);
            (self.length, self.back) = (payload.len(), back);
        }
    }
}

/// Where the redundancy in `payload` begins and where it ends, in samples before the packet; 0 and 0 without any.
fn parse(network: &mut Memory, dred: &mut Memory, payload: &[u8], most: u64, only_coded: bool) -> (u64, u64) {
    let Ok(length) = i32::try_from(payload.len()) else { return (0, 0) };
    let (mut end, rate): (c_int, _) = (0, RATE_HZ as i32);
    // SAFETY: an initialised `OpusDREDDecoder`, memory for an `OpusDRED`, `length` bytes of payload, a place for `end`.
    let reach = unsafe {
        ffi::opus_dred_parse(
            network.as_mut_ptr(),
            dred.as_mut_ptr(),
            payload.as_ptr(),
            length,
            most.min(DEEPEST) as i32,
            rate,
            &raw mut end,
            only_coded.into(),
        )
    };
    (u64::try_from(reach).unwrap_or(0), u64::try_from(end).unwrap_or(0))
}

/// Redundancy, of which nothing is used: to synthesise from it at [`NOWHERE`] is to conceal, after forgetting what
/// redundancy there was. libopus has no other way to forget.
static BLANK: OnceLock<Memory> = OnceLock::new();

/// A minute after the packet: nothing tells of that.
pub(super) const NOWHERE: i32 = -60 * RATE_HZ as i32;

/// Made once and for all, where allocation is allowed.
pub(super) fn prepare_blank() -> Result<(), CodecError> {
    if BLANK.get().is_none() {
        let mut reader = DredReader::new()?;
        parse(&mut reader.network, &mut reader.unfolded, BLANK_PACKET, 0, false);
        let _ = BLANK.set(reader.unfolded);
    }
    Ok(())
}

pub(super) fn blank() -> Option<&'static Memory> {
    BLANK.get()
}

/// A CELT packet of one empty frame with 11 bytes of padding: an extension 126 of version 12, whatever its zeros mean.
const BLANK_PACKET: &[u8] = &[0xFB, 0x41, 11, 126 << 1, b'D', 12, 0, 0, 0, 0, 0, 0, 0, 0];

impl std::fmt::Debug for DredReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DredReader({:?} and twice {:?})", self.network, self.coded)
    }
}
