//! One track read back: its packets on the room clock, from any sample on, at the cost of what is asked for.

use super::{
    super::{Cause, Gap, error::RecordError, tape::LOOKAHEAD, track_file::TrackFile},
    packets::{FilePacket, Packets},
};
use crate::frame::Channels;
use std::{
    io::{self, Read, Seek},
    ops::Range,
    path::{Path, PathBuf},
};

/// The longest packet (RFC 6716 §2.1.4).
const LONGEST: u64 = 5_760;

/// One packet of a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackPacket {
    /// The room sample its first sample was captured at; a track's first may begin before the room did. A decoder gives
    /// it out 312 samples later, which the pre-skip takes back.
    pub at: i64,
    /// How much sound it holds.
    pub samples: u64,
    /// Is it the speaker's, or does it fill a gap?
    pub origin: Origin,
    /// The codec's bytes.
    pub payload: Vec<u8>,
}

/// Where a packet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The speaker sent it.
    Speaker,
    /// It stands in a gap of this cause: silence, or no bytes, so that a decoder conceals. The weightiest cause is told.
    Gap(Cause),
}

impl TrackPacket {
    /// The first room sample behind it.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.at.saturating_add_unsigned(self.samples)
    }
}

/// A track's file, or its files one behind the other; one of them is open.
#[derive(Debug)]
pub struct TrackReader<R = TrackFile> {
    files: Vec<PartFile<R>>,
    /// Which of them is being read.
    place: usize,
    gaps: Vec<Gap>,
    /// The room's, if it has ended.
    end: u64,
}

/// One file of a track.
#[derive(Debug)]
pub(in crate::record) struct PartFile<R> {
    packets: Packets<R>,
    path: PathBuf,
    /// The room sample that it begins with.
    from: u64,
}

impl<R: Read + Seek> PartFile<R> {
    pub(in crate::record) fn open(file: R, path: &Path, from: u64) -> io::Result<Self> {
        Ok(Self { packets: Packets::open(file)?, path: path.to_owned(), from })
    }

    /// How many samples players skip at its start.
    pub(in crate::record) fn pre_skip(&self) -> u64 {
        self.packets.head.pre_skip.into()
    }

    /// The room sample of its first.
    fn first(&self) -> i64 {
        sample(self.from) + LOOKAHEAD as i64 - i64::from(self.packets.head.pre_skip)
    }
}

impl<R: Read + Seek> TrackReader<R> {
    /// The reader of one file.
    #[cfg(any(fuzzing, test, feature = "sim"))]
    pub(crate) fn new(file: R, path: &Path, gaps: Vec<Gap>, end: u64) -> io::Result<Self> {
        Ok(Self::over(vec![PartFile::open(file, path, 0)?], gaps, end))
    }

    /// Reads files one behind the other; these gaps are told of them up to the room's end.
    pub(in crate::record) fn over(files: Vec<PartFile<R>>, gaps: Vec<Gap>, end: u64) -> Self {
        Self { files, place: 0, gaps, end }
    }

    /// How many channels players make of it.
    #[must_use]
    pub fn channels(&self) -> Channels {
        let is_stereo = self.files.iter().any(|file| file.packets.head.channels == 2);
        if is_stereo { Channels::Stereo } else { Channels::Mono }
    }

    /// How many samples players skip at the start of its first file: the one behind is the room sample that it begins with.
    #[must_use]
    pub fn pre_skip(&self) -> u64 {
        self.files.first().map_or(0, PartFile::pre_skip)
    }

    /// The packets that lie in `range` of the room clock, those that reach in from outside too, in order. A page is
    /// found by halving the file, so that it costs what the range holds. After an error there is nothing more.
    ///
    /// # Errors
    /// Each packet may be one that cannot be read. What a crash cut off, and what is no Opus, is passed over.
    pub fn packets(
        &mut self,
        range: Range<u64>,
    ) -> impl Iterator<Item = Result<TrackPacket, RecordError>> + use<'_, R> {
        let mut sought = Some(self.place_of(range.start));
        let mut failed = false;
        std::iter::from_fn(move || {
            let next = self.next(&mut sought, &range);
            let next = next.map_err(|source| RecordError::new(self.path(), "read", source));
            let next = next.transpose().filter(|_| !failed);
            failed = matches!(next, Some(Err(_)));
            next
        })
    }

    fn next(&mut self, sought: &mut Option<usize>, range: &Range<u64>) -> io::Result<Option<TrackPacket>> {
        loop {
            if let Some(place) = sought.take() {
                self.place = place;
                let Some(file) = self.files.get_mut(place) else { return Ok(None) };
                let from = i128::from(range.start) - i128::from(file.first());
                file.packets.seek(from.clamp(0, u64::MAX.into()) as u64)?;
            }
            if let Some(packet) = self.next_here(range)? {
                return Ok(Some(packet).filter(|packet| packet.at < sample(range.end)));
            }
            *sought = Some(self.place + 1);
            if self.place + 1 >= self.files.len() {
                return Ok(None);
            }
        }
    }

    /// The next packet that the present file has for the range. What lies before the room sample that a file begins with, the file
    /// before it has.
    fn next_here(&mut self, range: &Range<u64>) -> io::Result<Option<TrackPacket>> {
        let to = self.files.get(self.place + 1).map_or(i64::MAX, |next| sample(next.from));
        let Some(file) = self.files.get_mut(self.place) else { return Ok(None) };
        let (from, first) = (if self.place > 0 { sample(file.from) } else { i64::MIN }, file.first());
        while let Some(FilePacket { at, samples, payload }) = file.packets.next()? {
            let at = sample(at).saturating_add(first);
            if at >= to {
                return Ok(None);
            }
            if at >= from && at.saturating_add_unsigned(samples) > sample(range.start) {
                let origin = gap_over(&self.gaps, self.end, at, samples).map_or(Origin::Speaker, Origin::Gap);
                return Ok(Some(TrackPacket { at, samples, origin, payload }));
            }
        }
        Ok(None)
    }

    /// The file in which the first packet lies that reaches beyond `at`.
    fn place_of(&self, at: u64) -> usize {
        self.files.partition_point(|file| file.from.saturating_add(LONGEST) <= at).saturating_sub(1)
    }

    /// The present file.
    fn path(&self) -> &Path {
        self.files.get(self.place).map_or_else(|| Path::new(""), |file| &file.path)
    }
}

/// Why a packet is not the speaker's. Gaps are told to the sample, but packets lie on a grid of 2.5 ms: the greater
/// part decides. What lies outside the room lets decoders give out the rest.
fn gap_over(gaps: &[Gap], end: u64, at: i64, samples: u64) -> Option<Cause> {
    let (from, to) = (at.max(0) as u64, at.saturating_add_unsigned(samples).max(0) as u64);
    if to == 0 || from >= end {
        return Some(Cause::NotJoined);
    }
    let to = to.min(end);
    let first = gaps.partition_point(|gap| gap.to_sample <= from);
    let over = gaps[first..].iter().take_while(|gap| gap.from_sample < to);
    let covered: u64 = over.clone().map(|gap| gap.to_sample.min(to) - gap.from_sample.max(from)).sum();
    let is_fill = 2 * covered > to - from;
    over.map(|gap| gap.cause).max_by_key(|cause| cause.weight()).filter(|_| is_fill)
}

fn sample(sample: u64) -> i64 {
    sample.min(i64::MAX as u64) as i64
}

#[cfg(test)]
mod tests {
    use super::{super::page::FIRST_LOOK, *};
    use crate::{
        consent::Recordable,
        record::{Recorder, RecorderConfig},
        speaker::{SpeakerId, VoicePacket},
        time::{MediaTime, SampleTime, Samples},
    };
    use std::{cell::Cell, fs::File, io::SeekFrom, rc::Rc};

    /// How many bytes were read of it.
    struct Counted(File, Rc<Cell<u64>>);

    impl Read for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer)?;
            self.1.set(self.1.get() + read as u64);
            Ok(read)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    /// So many packets of a voice of 64 kbit/s, which tell their numbers.
    fn voice(dir: &Path, packets: u64) {
        let config = RecorderConfig { repair: Samples::ZERO, ..RecorderConfig::default() };
        let mut recorder = Recorder::create(dir, config).unwrap();
        recorder.join(SpeakerId(0), "mara", SampleTime::ZERO).unwrap();
        recorder.open(Recordable::dangerously_without_consent(SpeakerId(0), SampleTime::ZERO));
        for number in 0..packets {
            let mut payload = vec![0xF8; 160];
            payload[1..9].copy_from_slice(&number.to_le_bytes());
            let arrived = SampleTime::from_samples(960 * number + 500);
            recorder.packet(VoicePacket {
                speaker: SpeakerId(0),
                epoch: 0,
                sequence: number,
                media: MediaTime::ORIGIN + Samples::new(960 * number),
                arrived,
                duration: Samples::new(960),
                marker: false,
                payload: &payload,
            });
            recorder.advance(arrived).unwrap();
        }
        recorder.finish(SampleTime::from_samples(packets * 960 + 500)).unwrap();
    }

    #[test]
    fn a_second_of_ten_minutes_costs_what_it_holds_and_a_search() {
        let dir = tempfile::tempdir().unwrap();
        voice(dir.path(), 30_000);
        let path = dir.path().join("tracks/mara.opus");
        let file = File::open(&path).unwrap();
        let (length, read) = (file.metadata().unwrap().len(), Rc::new(Cell::new(0)));
        let mut track = TrackReader::new(Counted(file, read.clone()), &path, Vec::new(), u64::MAX).unwrap();
        for second in [0, 1, 299, 598] {
            read.set(0);
            let range = second * 48_000 + 500..(second + 1) * 48_000 + 500;
            let packets: Vec<_> = track.packets(range).map(Result::unwrap).collect();
            let numbers: Vec<_> =
                packets.iter().map(|it| u64::from_le_bytes(it.payload[1..9].try_into().unwrap())).collect();
            assert_eq!(numbers, (second * 50..(second + 1) * 50).collect::<Vec<_>>());
            assert_eq!(packets[0].at, second as i64 * 48_000 + 500);
            // A dozen looks halve 5 MB down to a page; a second is two pages.
            assert!(read.get() < 16 * FIRST_LOOK as u64 && length > 4_500_000, "{} of {length}", read.get());
        }
    }

    fn all(file: Vec<u8>) -> Option<Vec<TrackPacket>> {
        let mut track =
            TrackReader::new(io::Cursor::new(file), Path::new("hurt"), Vec::new(), u64::MAX).ok()?;
        Some(track.packets(0..u64::MAX).map(Result::unwrap).collect())
    }

    #[test]
    fn a_track_that_was_cut_or_hurt_is_read_as_far_as_it_goes_and_nothing_moves() {
        let dir = tempfile::tempdir().unwrap();
        voice(dir.path(), 500);
        let file = std::fs::read(dir.path().join("tracks/mara.opus")).unwrap();
        let whole = all(file.clone()).unwrap();
        for at in (0..file.len()).step_by(509) {
            let cut = all(file[..at].to_vec());
            assert!(cut.is_none_or(|left| left[..] == whole[..left.len()]), "cut at {at}");
            let mut hurt = file.clone();
            hurt[at] ^= 0x55;
            let Some(left) = all(hurt) else { continue };
            // A page is a second, and the one behind may begin in it.
            assert!(left.len() >= whole.len() - 102, "hurt at {at}: {}", left.len());
            // Where the last page ends only the one before tells.
            let known = left.iter().filter(|packet| packet.at < 450 * 960);
            let stays = |packet: &TrackPacket| {
                whole.binary_search_by_key(&packet.at, |it| it.at).is_ok_and(|at| whole[at] == *packet)
            };
            assert!(known.clone().all(stays), "hurt at {at}");
        }
    }
}
