//! `timeline.svg`: one row a voice. Its shape is the speech, the line above it the playout delay, the marks below it are
//! packets that were lost, late, recovered or dropped; grey is muted, empty is not in the room.

use super::{
    sheet::{Drawn, HAIR, INK, MUTED, PRESENT, QUIET, Sheet, TimeAxis, length, text, width_of},
    table::loss_percent,
};
use plotters::{prelude::*, style::text_anchor::HPos};
use std::path::Path;
use tertulia::{
    sim::{Fate, Outcome, Span, VoiceLog, VoicePacketLog},
    time::SampleTime,
};

const WIDTH: i32 = 1200;
/// Where time begins and ends, from the left edge.
const LEFT: i32 = 186;
const RIGHT: i32 = WIDTH - 28;
/// Where names begin.
const EDGE: i32 = 24;
const TOP: i32 = 104;
const BOTTOM: i32 = 56;
/// A row is delay, speech, packets, and air.
const ROW: i32 = 98;
const DELAY: i32 = 28;
const SPEECH: i32 = 40;
const MARKS: i32 = 12;
/// More rows than this are not a picture any more.
const MOST_ROWS: usize = 32;

const LINE: RGBColor = RGBColor(0x47, 0x55, 0x69);
const VOICES: [RGBColor; 8] = [
    RGBColor(0x3b, 0x6f, 0xd4),
    RGBColor(0x1d, 0x97, 0x8f),
    RGBColor(0x8a, 0x5c, 0xd1),
    RGBColor(0xc2, 0x68, 0x2f),
    RGBColor(0xbf, 0x4b, 0x8a),
    RGBColor(0x5b, 0x8a, 0x36),
    RGBColor(0x3a, 0x93, 0xc4),
    RGBColor(0xa8, 0x86, 0x24),
];

/// What the height of a delay line can stand for.
const SCALES_MS: [f64; 9] = [50.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0, 750.0, 1000.0];

/// What marks below a voice stand for, the worst first.
const FATES: [(Fate, RGBColor, &str); 4] = [
    (Fate::Lost, RGBColor(0xdc, 0x26, 0x26), "lost, concealed"),
    (Fate::Late, RGBColor(0xf5, 0x9e, 0x0b), "too late, concealed"),
    (Fate::Fec, RGBColor(0x10, 0xa3, 0x72), "recovered (FEC)"),
    (Fate::Skipped, RGBColor(0x7c, 0x3a, 0xed), "dropped to catch up"),
];

pub(crate) fn draw(path: &Path, outcome: &Outcome) -> Drawn {
    let voices = outcome.voices.get(..MOST_ROWS).unwrap_or(&outcome.voices);
    let height = TOP + ROW * voices.len() as i32 + BOTTOM;
    let sheet = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
    sheet.fill(&WHITE)?;
    let end_ms = SampleTime::from_samples(outcome.report.room.samples).as_ms();
    let rows: Vec<Row<'_>> = voices.iter().map(|voice| Row::new(voice, end_ms)).collect();
    let scale_ms = scale_ms(&rows);
    head(&sheet, outcome, end_ms)?;
    axis(end_ms).draw(&sheet, TOP - 6, height - BOTTOM - 4)?;
    for (place, row) in rows.iter().enumerate() {
        let top = TOP + ROW * place as i32;
        row.draw(&sheet, top, VOICES[place % VOICES.len()], scale_ms)?;
        label(&sheet, outcome, row.voice, top, if place == 0 { Some(scale_ms) } else { None })?;
    }
    sheet.present()?;
    Ok(())
}

/// High enough for 99 of 100 delays; a lone spike may be cut.
fn scale_ms(rows: &[Row<'_>]) -> f64 {
    let mut delays_ms: Vec<f64> = rows.iter().flat_map(|row| &row.bins).map(|bin| bin.delay_ms).collect();
    delays_ms.sort_by(f64::total_cmp);
    let most_ms = delays_ms.get(delays_ms.len() * 99 / 100).copied().unwrap_or_default();
    SCALES_MS.into_iter().find(|ms| *ms >= most_ms).unwrap_or(2000.0)
}

/// One voice, cut into as many bins as there are columns, or packets if those are fewer.
struct Row<'a> {
    voice: &'a VoiceLog,
    end_ms: f64,
    bins: Vec<Bin>,
}

#[derive(Clone, Default)]
struct Bin {
    packets: u32,
    speech: f64,
    delay_ms: f64,
    fates: [u32; FATES.len()],
}

impl<'a> Row<'a> {
    fn new(voice: &'a VoiceLog, end_ms: f64) -> Self {
        let columns = (end_ms / 20.0).ceil().clamp(1.0, f64::from(RIGHT - LEFT)) as usize;
        let mut bins = vec![Bin::default(); columns];
        let transits = voice.packets.iter().filter_map(|packet| Some(packet.arrival_ms? - packet.send_ms));
        let quickest_ms = transits.fold(f64::INFINITY, f64::min);
        let (mut next_ms, mut delay_ms, mut last) = (None, 0.0, 0);
        for packet in &voice.packets {
            // A packet that was not heard stands where it would have been: after the one before it.
            let at_ms = packet.playout_ms.or(next_ms).unwrap_or(packet.send_ms);
            let at = ((at_ms / end_ms * columns as f64) as usize).min(columns - 1);
            // Where playout was stretched there are bins without a packet, with the delay of the one before.
            if next_ms.is_some_and(|next_ms| at_ms - next_ms < 500.0) && last < at {
                bins[last..at].iter_mut().for_each(|bin| bin.delay_ms = bin.delay_ms.max(delay_ms));
            }
            delay_ms = packet.playout_ms.map_or(delay_ms, |ms| ms - packet.send_ms - quickest_ms);
            bins[at].take(packet, delay_ms);
            (next_ms, last) = (Some(at_ms + 20.0), at);
        }
        Self { voice, end_ms, bins }
    }

    fn draw(&self, sheet: &Sheet<'_>, top: i32, colour: RGBColor, scale_ms: f64) -> Drawn {
        let (speech, marks) = (top + DELAY, top + DELAY + SPEECH + 3);
        for span in &self.voice.present {
            let (from, to) = self.ends(span);
            let area = [(from, top + DELAY), (to, marks + MARKS)];
            sheet.draw(&Rectangle::new(area, PRESENT.filled()))?;
        }
        self.delay(sheet, top, scale_ms)?;
        self.speech(sheet, speech, colour)?;
        for span in &self.voice.muted {
            self.muted(sheet, span, speech)?;
        }
        self.marks(sheet, marks)
    }

    fn x(&self, bin: usize) -> i32 {
        LEFT + (bin * (RIGHT - LEFT) as usize / self.bins.len()) as i32
    }

    fn ends(&self, span: &Span) -> (i32, i32) {
        (axis(self.end_ms).x(span.from.as_ms()), axis(self.end_ms).x(span.to.as_ms()))
    }

    fn speech(&self, sheet: &Sheet<'_>, top: i32, colour: RGBColor) -> Drawn {
        let middle = top + SPEECH / 2;
        let half = |bin: &Bin| (bin.height() * f64::from(SPEECH / 2 - 1)).round() as i32;
        let (from, to) = (self.x(0), self.x(self.bins.len()));
        sheet.draw(&PathElement::new([(from, middle), (to, middle)], HAIR))?;
        let mut start = 0;
        while start < self.bins.len() {
            let run = self.bins[start..].iter().take_while(|bin| half(bin) > 0).count();
            if run > 0 {
                let shape = |sign: i32| {
                    let bins = self.bins[start..start + run].iter().enumerate();
                    bins.flat_map(move |(at, bin)| {
                        let y = middle - sign * half(bin);
                        [(self.x(start + at), y), (self.x(start + at + 1), y)]
                    })
                };
                let below: Vec<_> = shape(-1).collect();
                let outline: Vec<_> = shape(1).chain(below.into_iter().rev()).collect();
                sheet.draw(&Polygon::new(outline, colour.mix(0.85).filled()))?;
            }
            start += run.max(1);
        }
        Ok(())
    }

    fn delay(&self, sheet: &Sheet<'_>, top: i32, scale_ms: f64) -> Drawn {
        let base = top + DELAY - 2;
        let y = |bin: &Bin| base - ((bin.delay_ms / scale_ms).min(1.1) * f64::from(DELAY - 6)).round() as i32;
        for run in self.bins.iter().enumerate().collect::<Vec<_>>().split(|(_, bin)| bin.delay_ms <= 0.0) {
            let line: Vec<_> = run.iter().map(|(at, bin)| (self.x(*at), y(bin))).collect();
            let (Some(first), Some(last)) = (line.first(), line.last()) else { continue };
            let mut area = line.clone();
            area.extend([(last.0, base), (first.0, base)]);
            sheet.draw(&Polygon::new(area, LINE.mix(0.10).filled()))?;
            sheet.draw(&PathElement::new(line, LINE.stroke_width(1)))?;
        }
        Ok(())
    }

    /// Grey, and striped: a muted voice may well be speaking.
    fn muted(&self, sheet: &Sheet<'_>, span: &Span, top: i32) -> Drawn {
        let (from, to) = self.ends(span);
        sheet.draw(&Rectangle::new([(from, top), (to, top + SPEECH)], MUTED.mix(0.45).filled()))?;
        for x in (from..to).step_by(10) {
            let width = (to - x).min(SPEECH);
            let stripe = [(x, top + SPEECH), (x + width, top + SPEECH - width)];
            sheet.draw(&PathElement::new(stripe, WHITE.mix(0.7).stroke_width(2)))?;
        }
        Ok(())
    }

    fn marks(&self, sheet: &Sheet<'_>, top: i32) -> Drawn {
        for (at, bin) in self.bins.iter().enumerate() {
            let mut y = top;
            for ((_, colour, _), count) in FATES.iter().zip(bin.fates).filter(|(_, count)| *count > 0) {
                let part = f64::from(count) / f64::from(bin.packets);
                let length = (part * f64::from(MARKS)).ceil().max(3.0) as i32;
                let to = (y + length).min(top + MARKS);
                sheet.draw(&Rectangle::new(
                    [(self.x(at), y), (self.x(at + 1).max(self.x(at) + 1), to)],
                    colour.filled(),
                ))?;
                y = to;
            }
        }
        Ok(())
    }
}

impl Bin {
    fn take(&mut self, packet: &VoicePacketLog, delay_ms: f64) {
        self.packets += 1;
        if packet.fate.is_heard() && packet.voiced != Some(false) {
            self.speech += loudness(packet.bytes);
        }
        self.delay_ms = self.delay_ms.max(delay_ms);
        if let Some(place) = FATES.iter().position(|(fate, ..)| *fate == packet.fate) {
            self.fates[place] += 1;
        }
    }

    fn height(&self) -> f64 {
        self.speech / f64::from(self.packets.max(1))
    }
}

/// An encoder of variable rate spends its bytes where there is something to hear: 20 ms of speech at 32 kb/s take some 55
/// to 110.
fn loudness(bytes: usize) -> f64 {
    ((bytes as f64 - 52.0) / 55.0).clamp(0.1, 1.0)
}

fn axis(end_ms: f64) -> TimeAxis {
    TimeAxis { left: LEFT, right: RIGHT, end_ms }
}

fn head(sheet: &Sheet<'_>, outcome: &Outcome, end_ms: f64) -> Drawn {
    let voices = outcome.voices.len();
    let title = format!("{voices} voices, {}", length(end_ms));
    sheet.draw(&Text::new(title, (EDGE, 30), text(22, INK, HPos::Left)))?;
    let more = if voices > MOST_ROWS { format!(" The first {MOST_ROWS} are shown.") } else { String::new() };
    let subtitle = format!("What listeners heard of each, and what the network did to it.{more}");
    sheet.draw(&Text::new(subtitle, (RIGHT, 32), text(14, QUIET, HPos::Right)))?;
    let mut x = LEFT;
    for (colour, name, half) in legend() {
        sheet.draw(&Rectangle::new([(x, 68 - half), (x + 14, 68 + half)], colour.filled()))?;
        sheet.draw(&Text::new(name, (x + 20, 68), text(13, INK, HPos::Left)))?;
        x += 46 + width_of(name, 13);
    }
    Ok(())
}

/// Colour, meaning, and half the height of its sample.
fn legend() -> Vec<(RGBColor, &'static str, i32)> {
    let mut entries = vec![(VOICES[0], "speech", 6), (LINE, "playout delay", 1), (MUTED, "muted", 6)];
    entries.extend(FATES.map(|(_, colour, name)| (colour, name, 4)));
    entries
}

fn label(sheet: &Sheet<'_>, outcome: &Outcome, voice: &VoiceLog, top: i32, scale_ms: Option<f64>) -> Drawn {
    let middle = top + DELAY + SPEECH / 2;
    sheet.draw(&Text::new(voice.name.clone(), (EDGE, middle - 9), text(16, INK, HPos::Left)))?;
    if let Some(line) = outcome.report.speakers.get(&voice.name) {
        let facts = format!("loss {} %, delay {:.0} ms", loss_percent(line), line.delay_ms.mean);
        sheet.draw(&Text::new(facts, (EDGE, middle + 10), text(12, QUIET, HPos::Left)))?;
    }
    if let Some(ms) = scale_ms {
        let scale = format!("{ms:.0} ms");
        sheet.draw(&Text::new(scale, (LEFT - 8, top + 4), text(11, QUIET, HPos::Right)))?;
        sheet.draw(&Text::new("0", (LEFT - 8, top + DELAY - 2), text(11, QUIET, HPos::Right)))?;
    }
    sheet.draw(&PathElement::new([(EDGE, top + ROW - 8), (RIGHT, top + ROW - 8)], HAIR))?;
    Ok(())
}
