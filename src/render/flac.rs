//! FLAC (RFC 9639), 24-bit, frame by frame, so that no more than a frame is in memory.

use super::{RenderError, wav::to_24_bits};
use crate::{frame::Channels, time::RATE_HZ};
use flacenc::{
    bitsink::ByteSink,
    component::{BitRepr, Stream, StreamInfo},
    config::Encoder,
    encode_fixed_size_frame,
    error::{Verified, Verify},
    source::{Context, Fill, FrameBuf},
};
use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Samples in a frame.
const FRAME: usize = 4096;
const BITS: usize = 24;

/// A file in the making.
pub(super) struct Flac {
    path: PathBuf,
    file: BufWriter<File>,
    config: Verified<Encoder>,
    info: StreamInfo,
    context: Context,
    buffer: FrameBuf,
    gathered: Vec<i32>,
    width: usize,
    frames: usize,
}

impl Flac {
    pub(super) fn create(path: &Path, channels: Channels) -> Result<Self, RenderError> {
        let width = channels.count();
        let file = File::create(path).map_err(|error| RenderError::Write(path.to_owned(), error))?;
        let config = Encoder::default().into_verified().map_err(|(_, error)| unwritten(path, &error))?;
        let info = StreamInfo::new(RATE_HZ as usize, width, BITS).map_err(|error| unwritten(path, &error))?;
        let buffer = FrameBuf::with_size(width, FRAME).map_err(|error| unwritten(path, &error))?;
        let mut flac = Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 18, file),
            config,
            info,
            context: Context::new(BITS, width),
            buffer,
            gathered: Vec::new(),
            width,
            frames: 0,
        };
        flac.head()?;
        Ok(flac)
    }

    pub(super) fn write(&mut self, samples: &[f32]) -> Result<(), RenderError> {
        self.gathered.extend(samples.iter().map(|sample| to_24_bits(*sample)));
        let whole = self.gathered.len() / (FRAME * self.width) * FRAME * self.width;
        let rest = self.gathered.split_off(whole);
        let gathered = std::mem::replace(&mut self.gathered, rest);
        gathered.chunks_exact(FRAME * self.width).try_for_each(|frame| self.frame(frame))
    }

    fn frame(&mut self, samples: &[i32]) -> Result<(), RenderError> {
        let Self { path, .. } = self;
        if samples.len() < FRAME * self.width {
            self.buffer = FrameBuf::with_size(self.width, samples.len() / self.width)
                .map_err(|error| unwritten(path, &error))?;
        }
        self.buffer.fill_interleaved(samples).map_err(|error| unwritten(path, &error))?;
        self.context.fill_interleaved(samples).map_err(|error| unwritten(path, &error))?;
        let frame = encode_fixed_size_frame(&self.config, &self.buffer, self.frames, &self.info);
        let frame = frame.map_err(|error| unwritten(path, &error))?;
        self.frames += 1;
        self.info.update_frame_info(&frame);
        let mut bytes = ByteSink::new();
        frame.write(&mut bytes).map_err(|error| unwritten(path, &error))?;
        self.file.write_all(bytes.as_slice()).map_err(|error| RenderError::Write(self.path.clone(), error))
    }

    /// Writes the last, shorter frame, and the head anew, with lengths and the samples' MD5.
    pub(super) fn finish(mut self) -> Result<(), RenderError> {
        let rest = std::mem::take(&mut self.gathered);
        if !rest.is_empty() {
            self.frame(&rest)?;
        }
        self.info.set_total_samples(self.context.total_samples());
        self.info.set_md5_digest(&self.context.md5_digest());
        let finished = self.file.seek(SeekFrom::Start(0)).map(|_| ());
        finished.map_err(|error| RenderError::Write(self.path.clone(), error))?;
        self.head()?;
        self.file.flush().map_err(|error| RenderError::Write(self.path, error))
    }

    fn head(&mut self) -> Result<(), RenderError> {
        let Self { path, .. } = self;
        // The last frame may be shorter than the least.
        self.info.set_block_sizes(FRAME, FRAME).map_err(|error| unwritten(path, &error))?;
        let mut bytes = ByteSink::new();
        let stream = Stream::with_stream_info(self.info.clone());
        stream.write(&mut bytes).map_err(|error| unwritten(path, &error))?;
        self.file.write_all(bytes.as_slice()).map_err(|error| RenderError::Write(self.path.clone(), error))
    }
}

fn unwritten(path: &Path, error: &dyn fmt::Display) -> RenderError {
    RenderError::Write(path.to_owned(), io::Error::other(error.to_string()))
}
