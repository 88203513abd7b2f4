//! Raises the stage: worker threads, the recorder's thread, and the rings between them and the control side.

use super::{
    bell::Bells,
    config::StageConfig,
    control::{Control, Link},
    disk::Disk,
    error::StartError,
    gauge::WorkerGauge,
    priority,
    pulse::Pulse,
    recorder,
    room::Room,
    warning::Warning,
    worker::{Ends, Worker},
};
use crossbeam::channel;
use rtrb::{Consumer, Producer, RingBuffer};
use std::{sync::Arc, thread};

/// The real-time threads that run many rooms.
#[derive(Debug)]
pub struct Stage(());

impl Stage {
    /// Starts it. What the machine does not allow is told by [`Control::warnings`].
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: StageConfig) -> Result<Control, StartError> {
        if config.workers == 0 {
            return Err(StartError::NoWorkers);
        }
        let disk = start_disk()?;
        let bells: Arc<[Bells]> = (0..config.workers).map(|_| Bells::new(config.seats())).collect();
        let ways = ways(config.workers);
        let started = ways.enumerate().map(|(number, ways)| start_worker(number, &config, ways, &bells));
        let started = started.collect::<Result<Vec<_>, _>>()?;
        let (workers, warnings): (Vec<_>, Vec<_>) = started.into_iter().unzip();
        Ok(Control::new(config, warnings.into_iter().flatten().collect(), workers, bells, disk))
    }
}

/// One worker's ways from and to each other.
type Ways = (Vec<Consumer<Box<Room>>>, Vec<Option<Producer<Box<Room>>>>);

/// A ring from every worker to every other.
fn ways(workers: usize) -> impl Iterator<Item = Ways> {
    let mut ways: Vec<Ways> = (0..workers).map(|_| Ways::default()).collect();
    for from in 0..workers {
        for to in 0..workers {
            let way =
                (from != to).then(|| RingBuffer::new(ROOMS_ON_THEIR_WAY)).map(|(departures, arrivals)| {
                    ways[to].0.push(arrivals);
                    departures
                });
            ways[from].1.push(way);
        }
    }
    ways.into_iter()
}

fn start_worker(
    number: usize,
    config: &StageConfig,
    (arrivals, departures): Ways,
    bells: &Arc<[Bells]>,
) -> Result<(Link, Option<Warning>), StartError> {
    let (orders_in, orders) = RingBuffer::new(ORDERS);
    let (returns, returns_out) = RingBuffer::new(ORDERS);
    let (events, events_out) = RingBuffer::new(EVENTS);
    let (tell, told) = channel::bounded(1);
    let gauge = Arc::new(WorkerGauge::new());
    let (bells, theirs) = (Arc::clone(bells), Arc::clone(&gauge));
    let ends = Ends { orders, returns, events, arrivals, departures, bells, gauge: theirs };
    let worker = Worker::new(number, config.seats(), ends);
    let realtime = config.realtime;
    let run = move || {
        let priority = if realtime { priority::make_realtime() } else { Ok(()) };
        // The starter waits for it.
        let _ = tell.send(priority);
        drop(tell);
        worker.run()
    };
    let thread =
        thread::Builder::new().name(format!("stage-{number}")).spawn(run).map_err(StartError::Thread)?;
    let warning = match told.recv() {
        Ok(Err(why)) => Some(Warning::NotRealtime { worker: number, why: why.to_string() }),
        _ => None,
    };
    let link = Link { orders: orders_in, returns: returns_out, events: events_out, thread, gauge, rooms: 0 };
    Ok((link, warning))
}

fn start_disk() -> Result<Disk, StartError> {
    let (messages, inbox) = channel::unbounded();
    let (tell, notices) = channel::unbounded();
    let pulse = Arc::new(Pulse::new());
    let beats = Arc::clone(&pulse);
    let run = move || recorder::run(&inbox, &tell, &beats);
    let thread = thread::Builder::new().name("stage-disk".into()).spawn(run).map_err(StartError::Thread)?;
    Ok(Disk { messages, notices, pulse, stuck: None, thread })
}

/// Rooms between two workers: few move at a time.
const ROOMS_ON_THEIR_WAY: usize = 8;

/// Orders that may wait for a worker, and what they leave over.
const ORDERS: usize = 1024;

/// Events that may wait for the control side.
const EVENTS: usize = 4096;
