//! `overview.svg`: one row a voice. Its shape is the sound; the band below it says where there is none and why; the line
//! under that is the consent that was given. Marks at the top are what happened.

use crate::{
    clip::Timeline,
    sheet::{Drawn, HAIR, INK, MUTED, PRESENT, QUIET, Sheet, TimeAxis, length, text, width_of},
    turns::Heard,
};
use plotters::{prelude::*, style::text_anchor::HPos};
use std::{collections::BTreeMap, ops::Range, path::Path};
use tertulia::{
    record::{Cause, Manifest, Span, TrackEntry},
    time::{SampleTime, Samples},
};

const WIDTH: i32 = 1200;
const LEFT: i32 = 150;
const RIGHT: i32 = WIDTH - 28;
const EDGE: i32 = 24;
const TOP: i32 = 132;
const BOTTOM: i32 = 48;
/// A row is sound, gaps, consent and air.
const ROW: i32 = 84;
const SOUND: i32 = 46;
const GAPS: i32 = 10;
const CONSENT: i32 = 4;
/// More rows than this are not a picture any more.
const MOST_ROWS: usize = 40;

const VOICE: RGBColor = RGBColor(0x3b, 0x6f, 0xd4);
const AGREED: RGBColor = RGBColor(0x10, 0xa3, 0x72);

/// Why there is nothing, and how that looks.
const CAUSES: [(Cause, RGBColor, &str); 7] = [
    (Cause::Loss, RGBColor(0xdc, 0x26, 0x26), "lost"),
    (Cause::Late, RGBColor(0xf5, 0x9e, 0x0b), "too late"),
    (Cause::Stall, RGBColor(0x7c, 0x3a, 0xed), "sender stood still"),
    (Cause::Undecodable, RGBColor(0xbe, 0x18, 0x5d), "undecodable"),
    (Cause::Gate, RGBColor(0x11, 0x18, 0x27), "no consent, paused"),
    (Cause::Mute, MUTED, "muted"),
    (Cause::Dtx, RGBColor(0xd6, 0xdd, 0xe8), "nothing sent"),
];
const OTHER: RGBColor = RGBColor(0x78, 0x35, 0x0f);

pub(crate) fn draw(
    path: &Path,
    timeline: &Timeline,
    manifest: &Manifest,
    heard: &BTreeMap<String, Heard>,
) -> Drawn {
    let rows = heard.len().min(MOST_ROWS);
    let height = TOP + ROW * rows as i32 + BOTTOM;
    let sheet = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
    sheet.fill(&WHITE)?;
    let view = View { range: timeline.range.clone() };
    head(&sheet, timeline, heard.len())?;
    view.axis().draw(&sheet, TOP - 14, height - BOTTOM)?;
    view.markers(&sheet, timeline, height - BOTTOM)?;
    for (place, (name, heard)) in heard.iter().take(MOST_ROWS).enumerate() {
        if let Some(entry) = manifest.speakers.get(name) {
            view.row(&sheet, TOP + ROW * place as i32, name, entry, heard)?;
        }
    }
    sheet.present()?;
    Ok(())
}

/// The part of the room's time that is seen.
struct View {
    range: Range<u64>,
}

impl View {
    fn axis(&self) -> TimeAxis {
        TimeAxis { left: LEFT, right: RIGHT, end_ms: Samples::new(self.range.end - self.range.start).as_ms() }
    }

    fn x(&self, sample: u64) -> i32 {
        let sample = sample.clamp(self.range.start, self.range.end) - self.range.start;
        self.axis().x(SampleTime::from_samples(sample).as_ms())
    }

    fn row(&self, sheet: &Sheet<'_>, top: i32, name: &str, entry: &TrackEntry, heard: &Heard) -> Drawn {
        let (gaps, consent) = (top + SOUND + 3, top + SOUND + GAPS + 6);
        self.spans(sheet, entry.joined.iter(), top, consent + CONSENT - top, PRESENT)?;
        self.sound(sheet, top, heard)?;
        self.gaps(sheet, gaps, entry)?;
        self.spans(sheet, entry.consent.iter(), consent, CONSENT, AGREED)?;
        sheet.draw(&Text::new(name.to_owned(), (EDGE, top + 14), text(16, INK, HPos::Left)))?;
        let spoken = Samples::new(heard.turns.iter().map(|turn| turn.end - turn.start).sum()).as_ms();
        let facts = format!("speaks {}", length(spoken));
        sheet.draw(&Text::new(facts, (EDGE, top + 34), text(12, QUIET, HPos::Left)))?;
        sheet.draw(&PathElement::new([(EDGE, top + ROW - 8), (RIGHT, top + ROW - 8)], HAIR))?;
        Ok(())
    }

    fn spans(
        &self,
        sheet: &Sheet<'_>,
        spans: impl Iterator<Item = Span>,
        top: i32,
        height: i32,
        colour: RGBColor,
    ) -> Drawn {
        for span in spans.filter(|span| span.from < self.range.end && span.to > self.range.start) {
            let area = [(self.x(span.from), top), (self.x(span.to), top + height)];
            sheet.draw(&Rectangle::new(area, colour.filled()))?;
        }
        Ok(())
    }

    /// The highest and lowest sample of each column, louder than it is: a voice is mostly soft.
    fn sound(&self, sheet: &Sheet<'_>, top: i32, heard: &Heard) -> Drawn {
        let (middle, half) = (top + SOUND / 2, f64::from(SOUND / 2));
        sheet.draw(&PathElement::new([(LEFT, middle), (RIGHT, middle)], HAIR))?;
        let columns = (RIGHT - LEFT) as usize;
        let mut tallest = vec![(0.0_f32, 0.0_f32); columns];
        for (at, (low, high)) in heard.peaks.pixels(0).enumerate() {
            let column = (at * columns / heard.peaks.len()).min(columns - 1);
            tallest[column] = (tallest[column].0.min(low), tallest[column].1.max(high));
        }
        let y =
            |sample: f32| middle - (f64::from(sample.abs().sqrt() * sample.signum()) * half).round() as i32;
        for (x, (low, high)) in (LEFT..).zip(tallest).filter(|(_, (low, high))| high - low > 0.01) {
            sheet.draw(&Rectangle::new([(x, y(high)), (x + 1, y(low))], VOICE.filled()))?;
        }
        Ok(())
    }

    fn gaps(&self, sheet: &Sheet<'_>, top: i32, entry: &TrackEntry) -> Drawn {
        // What weighs little is drawn first, so that a lost packet is seen beside a long pause.
        for (cause, colour) in CAUSES.iter().rev().map(|(cause, colour, _)| (*cause, *colour)) {
            let gaps = entry.gaps.iter().filter(|gap| gap.cause == cause);
            for gap in gaps.filter(|gap| gap.from_sample < self.range.end && gap.to_sample > self.range.start)
            {
                let (from, to) = (self.x(gap.from_sample), self.x(gap.to_sample));
                let area = [(from, top), (to.max(from + 1), top + GAPS)];
                sheet.draw(&Rectangle::new(area, colour.filled()))?;
            }
        }
        Ok(())
    }

    fn markers(&self, sheet: &Sheet<'_>, timeline: &Timeline, bottom: i32) -> Drawn {
        let mut free = i32::MIN;
        for marker in &timeline.markers {
            let x = self.x(marker.at);
            sheet.draw(&PathElement::new([(x, TOP - 18), (x, bottom)], OTHER.mix(0.25)))?;
            if x >= free {
                sheet.draw(&Text::new(
                    marker.text.clone(),
                    (x + 2, TOP - 26),
                    text(11, OTHER, HPos::Left),
                ))?;
                free = x + 8 + width_of(&marker.text, 11);
            }
        }
        Ok(())
    }
}

fn head(sheet: &Sheet<'_>, timeline: &Timeline, voices: usize) -> Drawn {
    let lasts = length(Samples::new(timeline.range.end - timeline.range.start).as_ms());
    let title = format!("{}: {voices} voices, {lasts}", timeline.name);
    sheet.draw(&Text::new(title, (EDGE, 30), text(22, INK, HPos::Left)))?;
    let more = if voices > MOST_ROWS { format!(" The first {MOST_ROWS} are shown.") } else { String::new() };
    let subtitle = format!("Each voice's recording, and where it has none.{more}");
    sheet.draw(&Text::new(subtitle, (RIGHT, 32), text(14, QUIET, HPos::Right)))?;
    let causes = CAUSES.iter().map(|(_, colour, name)| (*colour, *name));
    let mut x = EDGE;
    for (colour, name) in [(VOICE, "sound"), (AGREED, "consent")].into_iter().chain(causes) {
        sheet.draw(&Rectangle::new([(x, 62), (x + 14, 74)], colour.filled()))?;
        sheet.draw(&Text::new(name, (x + 20, 68), text(13, INK, HPos::Left)))?;
        x += 42 + width_of(name, 13);
    }
    Ok(())
}
