//! The stage, the people in its rooms, and the newest figures of both.

use crate::{
    Args,
    crowd::{Crowd, Manners},
    now,
};
use std::{
    error::Error,
    thread,
    time::{Duration, Instant},
};
use tertulia::{
    engine::RoomConfig,
    live::{Control, Notice, PcmOut, RoomId, RoomStats, Rung, Stage, StageConfig, StageStats},
    mix::Db,
    speaker::SpeakerSet,
    time::Samples,
};

/// How often rooms are asked for their figures.
const MEASURE: Duration = Duration::from_millis(500);
/// People in the rooms, room after room.
const SIZES: [u16; 8] = [3, 5, 8, 12, 4, 20, 2, 6];

pub(crate) struct World {
    stage: Control,
    crowd: Crowd,
    taps: Vec<PcmOut>,
    pub(crate) rooms: Vec<Room>,
    pub(crate) stats: StageStats,
    pub(crate) chosen: usize,
    pub(crate) told: Vec<String>,
    measured: Instant,
}

/// What is known of one room.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) manners: Manners,
    /// The loudest sample of its mix lately.
    pub(crate) peak: Db,
    pub(crate) figures: Option<Box<RoomStats>>,
}

impl World {
    pub(crate) fn open(args: &Args) -> Result<Self, Box<dyn Error>> {
        let mut stage = Stage::start(StageConfig { workers: args.workers, ..StageConfig::default() })?;
        let told = stage.warnings().iter().map(ToString::to_string).collect();
        let (mut crowd, mut taps, mut rooms) = (Crowd::new(7), Vec::new(), Vec::new());
        for number in 0..args.rooms {
            let manners = manners(number, args);
            let id = crowd.open(&mut stage, RoomConfig::default(), manners)?;
            taps.push(stage.subscribe_pcm(id, SpeakerSet::EVERYBODY)?);
            rooms.push(Room { id, manners, peak: Db::SILENCE, figures: None });
            // So that no ring is full of orders.
            thread::park_timeout(Duration::from_millis(5));
        }
        let stats = stage.stats();
        Ok(Self { stage, crowd, taps, rooms, stats, chosen: 0, told, measured: now() })
    }

    /// People talk, figures come in.
    pub(crate) fn go_on_until(&mut self, end: Instant) {
        loop {
            self.crowd.go_on(&self.stage);
            self.listen();
            self.take_notices();
            if now() >= end {
                return;
            }
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    pub(crate) fn choose(&mut self, step: isize) {
        self.chosen = self.chosen.saturating_add_signed(step).min(self.rooms.len() - 1);
    }

    fn listen(&mut self) {
        let mut sound = [0.0_f32; 4800];
        for (tap, room) in self.taps.iter_mut().zip(&mut self.rooms) {
            let heard = tap.read(&mut sound);
            if heard > 0 {
                let peak = sound[..heard].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
                // It falls slowly, as a meter does.
                room.peak = Db(Db::from_linear(peak).0.max(room.peak.0 - 0.5));
            }
        }
    }

    fn take_notices(&mut self) {
        while let Some(notice) = self.stage.poll() {
            match notice {
                Notice::Measured(id, figures) => {
                    if let Some(room) = self.rooms.iter_mut().find(|room| room.id == id) {
                        room.figures = Some(figures);
                    }
                }
                Notice::Shed { worker, rung: Rung::Ground } => {
                    self.told.push(format!("worker {worker} keeps up again"));
                }
                Notice::Shed { worker, rung } => self.told.push(format!("worker {worker} sheds: {rung:?}")),
                _ => {}
            }
        }
        if now() - self.measured > MEASURE {
            self.measured = now();
            self.stats = self.stage.stats();
            // Not asked now means asked half a second later.
            for room in &self.rooms {
                let _busy = self.stage.measure(room.id);
            }
        }
    }
}

/// Every other room has a bad network.
fn manners(number: usize, args: &Args) -> Manners {
    let bad = number % 2 == 1;
    let speakers = SIZES[number % SIZES.len()];
    Manners {
        speakers,
        talking: 1 + speakers / 8,
        jitter: Samples::from_ms(if bad { args.jitter_ms } else { 0 }),
        loss_percent: if bad { args.loss_percent } else { 0.0 },
    }
}
