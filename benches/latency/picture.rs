//! The quantiles as a picture: one line a load, tick times and lateness, on a logarithmic scale up to the quantum.

use crate::Row;
use plotters::prelude::*;
use std::{error::Error, path::Path};
use tertulia::live::Quantiles;

const NAMES: [&str; 5] = ["p50", "p99", "p99.9", "p99.99", "max"];

pub(crate) fn draw(file: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(file, (900, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(450);
    panel(&left, "what a tick takes, ms", rows, |row| row.stats.tick_ns)?;
    panel(&right, "how late a tick begins, ms", rows, |row| row.stats.lateness_ns)?;
    root.present()?;
    println!("{}", file.display());
    Ok(())
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    title: &str,
    rows: &[Row],
    of: impl Fn(&Row) -> Quantiles,
) -> Result<(), Box<dyn Error>> {
    let quantum_ms = rows.first().map_or(10.0, |row| row.quantum.samples().as_ms());
    let values = |row| -> [f64; 5] {
        let Quantiles { p50, p99, p99_9, p99_99, max } = of(row);
        [p50, p99, p99_9, p99_99, max].map(|ns| (ns as f64 / 1e6).max(0.001))
    };
    let top = rows.iter().flat_map(values).fold(2.0 * quantum_ms, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(52)
        .build_cartesian_2d(-0.2..4.2, (0.001..top).log_scale())?;
    let name = |at: &f64| NAMES.get(at.round() as usize).copied().unwrap_or_default().to_owned();
    chart
        .configure_mesh()
        .x_labels(5)
        .x_label_formatter(&name)
        .y_label_formatter(&|ms| format!("{ms}"))
        .draw()?;
    let deadline = [(-0.2, quantum_ms), (4.2, quantum_ms)];
    chart
        .draw_series(LineSeries::new(deadline, RED.stroke_width(2)))?
        .label("the deadline")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], RED.stroke_width(2)));
    for (number, row) in rows.iter().enumerate() {
        let colour = Palette99::pick(number + 1).to_rgba();
        let points: Vec<_> = values(row).into_iter().enumerate().map(|(at, ms)| (at as f64, ms)).collect();
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(format!("{:.0} % load, {} missed", row.aimed_percent, row.stats.deadline_misses))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(points.into_iter().map(|at| Circle::new(at, 3, colour.filled())))?;
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    Ok(())
}
