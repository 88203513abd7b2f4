//! Sealed tracks whose pages change: in go the file, its keys and what stands in the place of some pages; out comes another
//! file, in which untouched segments are the same bytes and the others have new keys.

use super::{
    eraser::Eraser, fill, page::Page, sealed::Head, sealer::Sealer, tape::LOOKAHEAD, toc::duration_samples,
    unsealed::Unsealed,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Seek},
};

/// The pages that change when a voice is taken out, by number; all others stay.
pub(super) fn silence<R: Read + Seek>(
    track: &mut Unsealed<R>,
    (from, pre_skip): (u64, u64),
    eraser: &mut Eraser,
) -> io::Result<BTreeMap<usize, Vec<u8>>> {
    let mut changed = BTreeMap::new();
    for number in 0..track.index.records.len() {
        let (head, bytes) = (track.index.records[number].head, track.page(number)?);
        let at = (from + head.from) as i64 - (pre_skip as i64 - LOOKAHEAD as i64);
        changed.extend(silence_page(&bytes, at, &head, eraser).map(|page| (number, page)));
    }
    Ok(changed)
}

/// A page without what is erased; none if nothing is.
fn silence_page(bytes: &[u8], mut at: i64, head: &Head, eraser: &mut Eraser) -> Option<Vec<u8>> {
    let (page, _) = Page::read(bytes)?;
    let (mut lacing, mut body, mut is_changed) = (Vec::new(), Vec::new(), false);
    let mut push = |packet: &[u8]| {
        lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
        lacing.push((packet.len() % 255) as u8);
        body.extend_from_slice(packet);
    };
    for packet in page.packets() {
        let samples = duration_samples(packet).unwrap_or(0);
        let left = eraser.pass(at, samples, packet.to_vec());
        is_changed |= left.as_deref() != Some(packet);
        match left {
            Some(left) => push(&left),
            // Never more segments than it had: none of ours is shorter than 2.5 ms.
            None => fill::silences(samples).for_each(|(silent, _)| push(&silent)),
        }
        at = at.saturating_add_unsigned(samples);
    }
    let mut written = Vec::new();
    Page::of(page.serial, &lacing, &body).write(page.flags, page.granule, head.number, &mut written);
    is_changed.then_some(written)
}

/// The file with these pages in the place of those that it has, and the segments that it does not need any more.
pub(super) fn replace<R: Read + Seek>(
    track: &mut Unsealed<R>,
    changed: &BTreeMap<usize, Vec<u8>>,
    sealer: &mut Sealer,
) -> io::Result<(Vec<u8>, Vec<u32>)> {
    let index = track.index.clone();
    let touched: BTreeSet<u32> = changed.keys().map(|number| index.records[*number].head.segment).collect();
    let mut bytes = index.header.bytes().to_vec();
    sealer.go_on(&index.header, 0);
    let mut before = None;
    for (number, record) in index.records.iter().enumerate() {
        let segment = record.head.segment;
        if before.replace(segment) != Some(segment) {
            sealer.end_segment();
        }
        if !touched.contains(&segment) {
            bytes.extend(track.raw(number)?);
            continue;
        }
        match changed.get(&number) {
            Some(page) => bytes.extend(sealer.seal_as(record.head, page)),
            None => bytes.extend(sealer.seal_as(record.head, &track.page(number)?)),
        }
    }
    Ok((bytes, touched.into_iter().collect()))
}
