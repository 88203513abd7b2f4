//! What the pictures have in common: paper, ink, letters, and time from left to right.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

pub(crate) type Sheet<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
pub(crate) type Drawn = Result<(), Box<dyn std::error::Error>>;

pub(crate) const INK: RGBColor = RGBColor(0x1f, 0x29, 0x37);
pub(crate) const QUIET: RGBColor = RGBColor(0x6b, 0x72, 0x80);
pub(crate) const HAIR: RGBColor = RGBColor(0xe5, 0xe7, 0xeb);
pub(crate) const PRESENT: RGBColor = RGBColor(0xf6, 0xf7, 0xf9);
pub(crate) const MUTED: RGBColor = RGBColor(0xc4, 0xc9, 0xd2);

/// Time across a sheet: the room's opening at `left`, its end at `right`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeAxis {
    pub(crate) left: i32,
    pub(crate) right: i32,
    pub(crate) end_ms: f64,
}

impl TimeAxis {
    pub(crate) fn x(&self, ms: f64) -> i32 {
        self.left + (ms / self.end_ms * f64::from(self.right - self.left)).round() as i32
    }

    /// Lines from `top` to `bottom`, and below them what time it is.
    pub(crate) fn draw(&self, sheet: &Sheet<'_>, top: i32, bottom: i32) -> Drawn {
        const STEPS_S: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
        let end_s = self.end_ms / 1000.0;
        let step_ms = 1000.0 * STEPS_S.into_iter().find(|s| end_s / s <= 16.0).unwrap_or(3600.0);
        for tick in 0..=(self.end_ms / step_ms) as u32 {
            let ms = f64::from(tick) * step_ms;
            let x = self.x(ms);
            sheet.draw(&PathElement::new([(x, top), (x, bottom)], HAIR))?;
            sheet.draw(&Text::new(clock(ms), (x, bottom + 16), text(13, QUIET, HPos::Center)))?;
        }
        Ok(())
    }
}

pub(crate) fn text(size: i32, colour: RGBColor, across: HPos) -> TextStyle<'static> {
    ("Inter, Helvetica, Arial, sans-serif", size)
        .into_font()
        .color(&colour)
        .pos(Pos::new(across, VPos::Center))
}

/// What a line of text of this size takes, about.
pub(crate) fn width_of(text: &str, size: i32) -> i32 {
    (0.49 * f64::from(size) * text.chars().count() as f64) as i32
}

fn clock(ms: f64) -> String {
    let s = (ms / 1000.0).round() as u64;
    format!("{}:{:02}", s / 60, s % 60)
}

pub(crate) fn length(ms: f64) -> String {
    let s = (ms / 1000.0).round() as u64;
    match (s / 60, s % 60) {
        (0 | 1, _) => format!("{s} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, s) => format!("{minutes} min {s} s"),
    }
}
