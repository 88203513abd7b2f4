//! One picture of the world.

use crate::world::{Room, World};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize},
    text::Line,
    widgets::{Block, Cell, Gauge, Paragraph, Row, Table, TableState},
};
use tertulia::live::{Rung, SpeakerStats, WorkerStats};

pub(crate) fn draw(frame: &mut Frame<'_>, world: &World) {
    let workers = (world.stats.workers.len() as u16).clamp(1, 8);
    let [head, rooms, people, foot] = Layout::vertical([
        Constraint::Length(workers + 2),
        Constraint::Min(6),
        Constraint::Percentage(40),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    draw_workers(frame, head, world);
    draw_rooms(frame, rooms, world);
    draw_people(frame, people, world);
    let told = world.told.last().map_or("", String::as_str);
    frame.render_widget(Line::from(format!(" ↑ ↓ choose a room   q ends   {told}")).dim(), foot);
}

fn draw_workers(frame: &mut Frame<'_>, area: Rect, world: &World) {
    let block = Block::bordered().title(" workers ");
    let lines =
        Layout::vertical(world.stats.workers.iter().map(|_| Constraint::Length(1))).split(block.inner(area));
    frame.render_widget(block, area);
    for (number, (worker, line)) in world.stats.workers.iter().zip(lines.iter()).enumerate() {
        let [bar, text] = Layout::horizontal([Constraint::Length(30), Constraint::Min(0)]).areas(*line);
        let load = f64::from(worker.load).clamp(0.0, 1.0);
        let label = format!("{number}: {:.0} % load", load * 100.0);
        frame.render_widget(Gauge::default().ratio(load).label(label).gauge_style(heat(load)), bar);
        frame.render_widget(Paragraph::new(in_words(worker)), text);
    }
}

fn in_words(worker: &WorkerStats) -> String {
    let ms = |ns: u64| ns as f64 / 1e6;
    let shed = if worker.rung == Rung::Ground { String::new() } else { format!(", sheds {:?}", worker.rung) };
    format!(
        " {} rooms, tick p50 {:.2} p99.9 {:.2} ms, late p50 {:.2} p99.9 {:.2} ms, {} of {} missed{shed}",
        worker.rooms,
        ms(worker.tick_ns.p50),
        ms(worker.tick_ns.p99_9),
        ms(worker.lateness_ns.p50),
        ms(worker.lateness_ns.p99_9),
        worker.deadline_misses,
        worker.ticks,
    )
}

fn draw_rooms(frame: &mut Frame<'_>, area: Rect, world: &World) {
    let head = ["room", "worker", "people", "level", "", "delay ms", "concealed", "cost", "margin p99.9"];
    let widths = [5, 7, 7, 22, 6, 9, 10, 8, 13].map(Constraint::Length);
    let rows = world.rooms.iter().enumerate().map(|(number, room)| room_row(number, room, world));
    let table = Table::new(rows, widths)
        .header(Row::new(head).bold())
        .row_highlight_style(Style::new().reversed())
        .block(Block::bordered().title(" rooms "));
    frame.render_stateful_widget(table, area, &mut TableState::new().with_selected(world.chosen));
}

fn room_row(number: usize, room: &Room, world: &World) -> Row<'static> {
    let load = world.stats.rooms.iter().find(|load| load.room == room.id);
    let (worker, cost) = load.map_or((0, 0.0), |load| (load.worker, load.load));
    let mut cells = vec![
        Cell::from(number.to_string()),
        Cell::from(worker.to_string()),
        Cell::from(room.manners.speakers.to_string()),
        Cell::from(meter(room.peak.0)).fg(Color::Green),
        Cell::from(format!("{:.0} dB", room.peak.0)),
    ];
    if let Some(figures) = &room.figures {
        let people = figures.speakers.iter().filter(|speaker| speaker.lane.packets.heard > 0);
        let (count, delay_ms) =
            people.fold((0, 0.0), |(count, sum), speaker| (count + 1, sum + speaker.lane.delay.as_ms()));
        let quantum_ms = figures.quantum.samples().as_ms();
        let margin_ms = quantum_ms - (figures.tick_ns.p99_9 + figures.lateness_ns.p99_9) as f64 / 1e6;
        let margin = Cell::from(format!("{margin_ms:.2} of {quantum_ms}"));
        cells.extend([
            Cell::from(format!("{:.0}", delay_ms / f64::from(count.max(1)))),
            Cell::from(format!("{:.2} %", concealed_percent(&figures.speakers))),
            Cell::from(format!("{:.2} %", cost * 100.0)),
            if margin_ms < 0.2 * quantum_ms { margin.fg(Color::Red) } else { margin },
        ]);
    }
    Row::new(cells)
}

fn draw_people(frame: &mut Frame<'_>, area: Rect, world: &World) {
    let head = ["speaker", "packets", "late", "lost to us", "delay ms", "p95", "aimed at", "concealed"];
    let widths = [8, 9, 6, 11, 9, 6, 9, 10].map(Constraint::Length);
    let figures = world.rooms.get(world.chosen).and_then(|room| room.figures.as_ref());
    let speakers = figures.map_or(&[][..], |figures| &figures.speakers);
    let rows = speakers.iter().map(|speaker| {
        Row::new([
            speaker.speaker.0.to_string(),
            speaker.lane.packets.arrived.to_string(),
            speaker.lane.packets.late.to_string(),
            speaker.refused.to_string(),
            format!("{:.0}", speaker.lane.delay.as_ms()),
            format!("{:.0}", speaker.delay_ms.p95),
            format!("{:.0}", speaker.lane.target.as_ms()),
            format!("{:.2} %", concealed_percent(std::slice::from_ref(speaker))),
        ])
    });
    let title = format!(" room {} ", world.chosen);
    let table = Table::new(rows, widths).header(Row::new(head).bold()).block(Block::bordered().title(title));
    frame.render_widget(table, area);
}

/// Of what should have been heard, so much was invented.
fn concealed_percent(speakers: &[SpeakerStats]) -> f64 {
    let (mut concealed, mut heard) = (0, 0);
    for speaker in speakers {
        let samples = speaker.lane.samples;
        concealed += samples.concealed;
        heard += samples.played + samples.concealed + samples.fec + samples.dred;
    }
    100.0 * concealed as f64 / (heard as f64).max(1.0)
}

/// From −60 dB to full scale, 20 steps.
fn meter(db: f32) -> String {
    "█".repeat(((db + 60.0) / 3.0).clamp(0.0, 20.0) as usize)
}

fn heat(load: f64) -> Color {
    match load {
        _ if load < 0.6 => Color::Green,
        _ if load < 0.9 => Color::Yellow,
        _ => Color::Red,
    }
}
