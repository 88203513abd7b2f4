//! libopus 1.6, called straight through `opusic-sys` for what the `opus` crate does not offer: an encoder whose state
//! can be copied, deep redundancy (DRED), the decoder's neural concealment. The one room of this crate with `unsafe`.

mod decoder;
mod dred;
mod encoder;

pub(super) use decoder::OpusDecoder;
pub(super) use dred::DredReader;
pub(super) use encoder::OpusEncoder;

/// What libopus keeps one of its objects in: memory of ours, `u128` for an alignment that suits every C type. The
/// objects hold no pointers into themselves ("can be freely copied", opus.h).
struct Memory(Box<[u128]>);

impl Memory {
    /// As many bytes as libopus asks for, all zero; nothing if it asks for nothing.
    fn of(bytes: i32) -> Self {
        let words = usize::try_from(bytes).unwrap_or(0).div_ceil(size_of::<u128>());
        Self(vec![0; words].into_boxed_slice())
    }

    fn as_ptr<T>(&self) -> *const T {
        self.0.as_ptr().cast()
    }

    fn as_mut_ptr<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// Both hold an object of the same kind and size; otherwise nothing happens.
    fn copy_from(&mut self, other: &Self) {
        if self.0.len() == other.0.len() {
            self.0.copy_from_slice(&other.0);
        }
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.bytes())
    }
}
