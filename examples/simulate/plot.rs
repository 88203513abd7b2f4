//! `playout.svg`: one panel a speaker, what its network did and what its jitter buffer made of that. Dots are packets,
//! each by how much longer than the quickest one it took; the blue line is when they were heard, the orange band when
//! they were meant to be. A dot above the blue line came too late for its moment. Below stand the means that were taken.
//!
//! A packet stands where it would have arrived by the quickest way, so that a stall looks like a saw's tooth; what was
//! done to the sound stands where it is in `mix.wav`.

use super::{
    sheet::{Drawn, HAIR, INK, MUTED, PRESENT, QUIET, Sheet, TimeAxis, length, text, width_of},
    thin::{corners, runs, shares},
};
use plotters::{prelude::*, style::text_anchor::HPos};
use std::path::Path;
use tertulia::{
    sim::{Fate, Outcome, Span, SpeakerLine, VoiceLog, VoicePacketLog},
    time::SampleTime,
};

const WIDTH: i32 = 1600;
const EDGE: i32 = 24;
const LEFT: i32 = 190;
const RIGHT: i32 = WIDTH - 28;
const TOP: i32 = 116;
const BOTTOM: i32 = 60;
const DOT: i32 = 3;
/// More panels than this are not a picture any more; more than half of it get columns twice as wide.
const MOST_PANELS: usize = 16;
/// All panels' delays together are this high, shared out between these bounds.
const DELAYS: i32 = 1040;
const LOWEST: i32 = 104;
const HIGHEST: i32 = 440;
/// Rows of marks below each panel, and one row's height.
const ROWS: i32 = 6;
const ROW: i32 = 11;
/// Between delays and marks.
const GAP: i32 = 8;
/// Between panels.
const AIR: i32 = 26;
/// Dots in all panels together, so that the file stays below 2 MB: one takes some 85 bytes.
const DOTS: usize = 10_000;
/// What a packet holds.
const PACKET_MS: f64 = 20.0;
/// A line is broken where nothing was heard for so long.
const PAUSE_MS: f64 = 500.0;

/// Okabe and Ito's colours, which everybody can tell apart; in the rows below a panel the place says it too.
const ARRIVAL: RGBColor = RGBColor(0x8c, 0x96, 0xa3);
const PLAYOUT: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const TARGET: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
const UNHEARD: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const RECOVERED: RGBColor = RGBColor(0x00, 0x9e, 0x73);
const CONCEALED: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const INSERTED: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
const REMOVED: RGBColor = RGBColor(0x56, 0xb4, 0xe9);

pub(crate) fn draw(path: &Path, outcome: &Outcome) -> Drawn {
    let voices = outcome.voices.get(..MOST_PANELS).unwrap_or(&outcome.voices);
    let column_px = if voices.len() > MOST_PANELS / 2 { 4 } else { 2 };
    let delays = (DELAYS / voices.len().max(1) as i32).clamp(LOWEST, HIGHEST);
    let pitch = delays + GAP + ROWS * ROW + AIR;
    let height = TOP + pitch * voices.len() as i32 + BOTTOM;
    let sheet = SVGBackend::new(path, (WIDTH as u32, height as u32)).into_drawing_area();
    sheet.fill(&WHITE)?;
    let end_ms = SampleTime::from_samples(outcome.report.room.samples).as_ms();
    let axis = TimeAxis { left: LEFT, right: RIGHT, end_ms };
    axis.draw(&sheet, TOP, height - BOTTOM)?;
    head(&sheet, outcome, end_ms)?;
    for (place, voice) in voices.iter().enumerate() {
        let Some(line) = outcome.report.speakers.get(&voice.name) else { continue };
        let top = TOP + pitch * place as i32;
        let panel =
            Panel { voice, line, axis, top, foot: top + delays, scale_ms: scale_ms(voice), column_px };
        panel.draw(&sheet, DOTS / voices.len())?;
    }
    let when = ("room time, min:s", (EDGE, height - BOTTOM + 16));
    sheet.draw(&Text::new(when.0, when.1, text(13, QUIET, HPos::Left)))?;
    sheet.present()?;
    Ok(())
}

/// High enough for 99 of 100 delays, and for all playout if that is at most twice as high; what is above stands at the edge.
fn scale_ms(voice: &VoiceLog) -> f64 {
    const SCALES_MS: [f64; 14] =
        [20.0, 40.0, 60.0, 80.0, 120.0, 160.0, 200.0, 240.0, 320.0, 400.0, 600.0, 800.0, 1200.0, 1600.0];
    let (mut arrivals_ms, mut heard_ms): (Vec<f64>, Vec<f64>) = Default::default();
    for packet in &voice.packets {
        arrivals_ms.extend(arrival_delay_ms(voice, packet));
        heard_ms.extend(packet.playout_ms.map(|ms| ms - due_ms(voice, packet)));
    }
    let usual_ms = most_but_a_hundredth(&mut arrivals_ms).max(most_but_a_hundredth(&mut heard_ms));
    let most_ms = heard_ms.last().copied().unwrap_or_default().clamp(usual_ms, 2.0 * usual_ms);
    SCALES_MS.into_iter().find(|ms| *ms >= most_ms).unwrap_or_else(|| (most_ms / 1000.0).ceil() * 1000.0)
}

/// Sorts as well.
fn most_but_a_hundredth(delays_ms: &mut [f64]) -> f64 {
    delays_ms.sort_by(f64::total_cmp);
    delays_ms.get(delays_ms.len() * 99 / 100).copied().unwrap_or_default().max(0.0)
}

/// When a packet would have been there by the quickest way.
fn due_ms(voice: &VoiceLog, packet: &VoicePacketLog) -> f64 {
    // A voice of which nothing ever arrived has no quickest way.
    packet.send_ms + if voice.smallest_transit_ms.is_finite() { voice.smallest_transit_ms } else { 0.0 }
}

fn arrival_delay_ms(voice: &VoiceLog, packet: &VoicePacketLog) -> Option<f64> {
    packet.arrival_ms.map(|ms| ms - due_ms(voice, packet))
}

/// One speaker: delays from `top` to `foot`, rows of marks below.
struct Panel<'a> {
    voice: &'a VoiceLog,
    line: &'a SpeakerLine,
    axis: TimeAxis,
    top: i32,
    foot: i32,
    scale_ms: f64,
    /// What falls into so many pixels from left to right is thinned out.
    column_px: i32,
}

impl Panel<'_> {
    fn draw(&self, sheet: &Sheet<'_>, budget: usize) -> Drawn {
        self.presence(sheet)?;
        self.scale(sheet)?;
        let is_unheard = |packet: &&VoicePacketLog| matches!(packet.fate, Fate::Late | Fate::Skipped);
        self.dots(sheet, ARRIVAL, budget * 4 / 5, |packet| !is_unheard(&packet))?;
        self.dots(sheet, UNHEARD, budget / 5, |packet| is_unheard(&packet))?;
        self.line(sheet, TARGET.mix(0.55).stroke_width(6), |packet| packet.target_ms)?;
        self.line(sheet, PLAYOUT.stroke_width(2), |packet| packet.playout_ms)?;
        self.rows(sheet)?;
        self.above(sheet)?;
        self.name(sheet)
    }

    fn presence(&self, sheet: &Sheet<'_>) -> Drawn {
        let bottom = self.foot + GAP + ROWS * ROW;
        let spans = self.voice.present.iter().map(|span| (span, PRESENT));
        for (span, colour) in spans.chain(self.voice.muted.iter().map(|span| (span, HAIR))) {
            let (from, to) = (self.axis.x(span.from.as_ms()), self.axis.x(span.to.as_ms()));
            sheet.draw(&Rectangle::new([(from, self.top), (to, bottom)], colour.mix(0.7).filled()))?;
        }
        Ok(())
    }

    fn scale(&self, sheet: &Sheet<'_>) -> Drawn {
        for quarter in 0..=4 {
            let ms = self.scale_ms * f64::from(quarter) / 4.0;
            let y = self.y(ms);
            sheet
                .draw(&PathElement::new([(LEFT, y), (RIGHT, y)], if quarter == 0 { MUTED } else { HAIR }))?;
            let unit = if quarter == 4 { " ms" } else { "" };
            sheet.draw(&Text::new(format!("{ms}{unit}"), (LEFT - 8, y), text(11, QUIET, HPos::Right)))?;
        }
        Ok(())
    }

    fn y(&self, delay_ms: f64) -> i32 {
        let height = f64::from(self.foot - self.top);
        self.foot - (delay_ms / self.scale_ms * height).round().clamp(0.0, height) as i32
    }

    fn columns(&self) -> usize {
        ((RIGHT - LEFT) / self.column_px) as usize
    }

    fn column(&self, ms: f64) -> f64 {
        ms / self.axis.end_ms * self.columns() as f64
    }

    fn left_of(&self, column: i32) -> i32 {
        LEFT + column * self.column_px
    }

    fn dots(
        &self,
        sheet: &Sheet<'_>,
        colour: RGBColor,
        budget: usize,
        which: impl Fn(&VoicePacketLog) -> bool,
    ) -> Drawn {
        let packets = self.voice.packets.iter().filter(|packet| which(packet));
        let dots = packets.filter_map(|packet| {
            let delay_ms = arrival_delay_ms(self.voice, packet)?;
            Some((self.column(due_ms(self.voice, packet)) as i32, self.y(delay_ms)))
        });
        for run in runs(dots.collect(), budget) {
            let x = self.left_of(run.x);
            let area = [(x, run.top - 1), (x + DOT.max(self.column_px), run.bottom + DOT - 1)];
            sheet.draw(&Rectangle::new(area, colour.filled()))?;
        }
        Ok(())
    }

    /// Steps; `at_ms` says when a packet was, or should have been, heard.
    fn line(
        &self,
        sheet: &Sheet<'_>,
        style: ShapeStyle,
        at_ms: impl Fn(&VoicePacketLog) -> Option<f64>,
    ) -> Drawn {
        let points = self.voice.packets.iter().filter_map(|packet| {
            let due_ms = due_ms(self.voice, packet);
            Some((due_ms, at_ms(packet)? - due_ms))
        });
        let points: Vec<(f64, f64)> = points.collect();
        for talk in points.chunk_by(|a, b| b.0 - a.0 < PAUSE_MS) {
            let mut line: Vec<(i32, i32)> = Vec::with_capacity(2 * talk.len());
            for (due_ms, delay_ms) in talk {
                let next = (self.left_of(self.column(*due_ms) as i32), self.y(*delay_ms));
                line.extend(line.last().map(|last| (next.0, last.1)));
                line.push(next);
            }
            sheet.draw(&PathElement::new(corners(&line), style))?;
        }
        Ok(())
    }

    fn rows(&self, sheet: &Sheet<'_>) -> Drawn {
        let history = self.voice.history.clone().unwrap_or_default();
        let made =
            |spans: &[Span]| self.shares(spans.iter().map(|span| (span.from.as_ms(), span.to.as_ms())));
        let packets = |which: &dyn Fn(&VoicePacketLog) -> bool| {
            let packets = self.voice.packets.iter().filter(|packet| which(packet));
            self.shares(packets.map(|packet| {
                let from_ms = packet.playout_ms.unwrap_or_else(|| due_ms(self.voice, packet));
                (from_ms, from_ms + PACKET_MS)
            }))
        };
        let is_recovered = |packet: &VoicePacketLog| packet.fate.is_heard() && packet.fate != Fate::Primary;
        let is_unheard = |packet: &VoicePacketLog| matches!(packet.fate, Fate::Late | Fate::Skipped);
        self.marks(sheet, 0, INK, &packets(&|packet| packet.arrival_ms.is_none()))?;
        self.marks(sheet, 1, RECOVERED, &packets(&is_recovered))?;
        self.marks(sheet, 2, CONCEALED, &made(&history.concealed))?;
        self.marks(sheet, 3, INSERTED, &made(&history.inserted))?;
        self.marks(sheet, 4, REMOVED, &made(&history.removed))?;
        self.marks(sheet, 5, UNHEARD, &packets(&is_unheard))
    }

    fn shares(&self, spans_ms: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
        shares(spans_ms.map(|(from, to)| (self.column(from), self.column(to))), self.columns())
    }

    /// A bar grows with the share of its column, a small share more than a large one: what is there at all can be seen.
    fn marks(&self, sheet: &Sheet<'_>, row: i32, colour: RGBColor, shares: &[f64]) -> Drawn {
        let floor = self.foot + GAP + ROW * (row + 1) - 1;
        let height = |share: &f64| (share.sqrt() * f64::from(ROW - 2)).ceil().max(3.0) as i32;
        let bars = shares.iter().map(|share| if *share > 0.0 { floor - height(share) } else { floor });
        let outline = bars
            .zip(0..)
            .flat_map(|(y, column): (i32, i32)| [(self.left_of(column), y), (self.left_of(column + 1), y)]);
        let ends = [(self.left_of(self.columns() as i32), floor), (LEFT, floor)];
        // One shape a row takes a fifth of the bytes that a bar a column would.
        let outline = corners(&outline.chain(ends).collect::<Vec<_>>());
        sheet.draw(&Polygon::new(outline, colour.filled()))?;
        Ok(())
    }

    /// Says what the scale has no room for.
    fn above(&self, sheet: &Sheet<'_>) -> Drawn {
        let delays = self.voice.packets.iter().filter_map(|packet| arrival_delay_ms(self.voice, packet));
        let above: Vec<f64> = delays.filter(|ms| *ms > self.scale_ms).collect();
        if above.is_empty() {
            return Ok(());
        }
        let most_ms = above.iter().copied().fold(0.0, f64::max);
        let note = format!("{} arrivals above, up to {most_ms:.0} ms", above.len());
        sheet.draw(&Text::new(note, (RIGHT - 6, self.top + 12), text(11, QUIET, HPos::Right)))?;
        Ok(())
    }

    fn name(&self, sheet: &Sheet<'_>) -> Drawn {
        let middle = (self.top + self.foot) / 2;
        sheet.draw(&Text::new(self.voice.name.clone(), (EDGE, middle - 9), text(16, INK, HPos::Left)))?;
        let delay_ms = &self.line.delay_ms;
        let delay = format!("delay {:.0} ms, p95 {:.0}", delay_ms.mean, delay_ms.p95);
        sheet.draw(&Text::new(delay, (EDGE, middle + 10), text(12, QUIET, HPos::Left)))?;
        for ((name, percent), row) in self.percents().into_iter().zip(0..) {
            let y = self.foot + GAP + ROW * (row + 1) - 4;
            let label = format!("{name} {percent:.1} %");
            sheet.draw(&Text::new(label, (LEFT - 8, y), text(11, QUIET, HPos::Right)))?;
        }
        Ok(())
    }

    fn percents(&self) -> [(&'static str, f64); ROWS as usize] {
        let (samples, sent) = (&self.line.samples, self.line.packets.sent);
        let sound = samples.played + samples.concealed + samples.fec + samples.dred + samples.silence;
        let percent = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let packets = |which: &dyn Fn(&VoicePacketLog) -> bool| {
            percent(self.voice.packets.iter().filter(|packet| which(packet)).count() as u64, sent)
        };
        [
            ("lost", packets(&|packet| packet.arrival_ms.is_none())),
            ("recovered", packets(&|packet| packet.fate.is_heard() && packet.fate != Fate::Primary)),
            ("concealed", percent(samples.concealed, sound)),
            ("lengthened", percent(samples.inserted, sound)),
            ("shortened", percent(samples.removed, sound)),
            ("dropped", packets(&|packet| matches!(packet.fate, Fate::Late | Fate::Skipped))),
        ]
    }
}

fn head(sheet: &Sheet<'_>, outcome: &Outcome, end_ms: f64) -> Drawn {
    let voices = outcome.voices.len();
    let title =
        format!("Playout of {voices} voice{}, {}", if voices == 1 { "" } else { "s" }, length(end_ms));
    sheet.draw(&Text::new(title, (EDGE, 30), text(22, INK, HPos::Left)))?;
    let more =
        if voices > MOST_PANELS { format!(" The first {MOST_PANELS} are shown.") } else { String::new() };
    let subtitle =
        format!("Delay over the quickest packet of each voice, and what was done to its sound.{more}");
    sheet.draw(&Text::new(subtitle, (RIGHT, 32), text(14, QUIET, HPos::Right)))?;
    let mut x = LEFT;
    for (colour, name, half) in LEGEND {
        sheet.draw(&Rectangle::new([(x, 72 - half), (x + 14, 72 + half)], colour.filled()))?;
        sheet.draw(&Text::new(name, (x + 20, 72), text(13, INK, HPos::Left)))?;
        x += 44 + width_of(name, 13);
    }
    Ok(())
}

/// Colour, meaning, and half the height of its sample.
const LEGEND: [(RGBColor, &str, i32); 10] = [
    (ARRIVAL, "packets' arrival", 2),
    (UNHEARD, "arrived, never heard", 2),
    (TARGET, "target", 3),
    (PLAYOUT, "playout", 1),
    (INK, "lost", 4),
    (RECOVERED, "recovered (FEC, RED, DRED)", 4),
    (CONCEALED, "concealed", 4),
    (INSERTED, "lengthened", 4),
    (REMOVED, "shortened", 4),
    (HAIR, "muted", 6),
];
