//! Raises the stage: worker threads, the recorder's thread, and the rings between them and the control side.

use super::{
    config::StageConfig,
    control::{Control, Disk, Link, Warning},
    error::StartError,
    priority,
    pulse::Pulse,
    recorder,
    worker::Worker,
};
use crossbeam::channel;
use rtrb::RingBuffer;
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
        let started =
            (0..config.workers).map(|number| start_worker(number, &config)).collect::<Result<Vec<_>, _>>()?;
        let (workers, warnings): (Vec<_>, Vec<_>) = started.into_iter().unzip();
        Ok(Control::new(config, warnings.into_iter().flatten().collect(), workers, disk))
    }
}

fn start_worker(number: usize, config: &StageConfig) -> Result<(Link, Option<Warning>), StartError> {
    let (orders_in, orders) = RingBuffer::new(ORDERS);
    let (returns, returns_out) = RingBuffer::new(ORDERS);
    let (events, events_out) = RingBuffer::new(EVENTS);
    let (tell, told) = channel::bounded(1);
    let worker = Worker::new(config.max_rooms_per_worker, orders, returns, events);
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
    Ok((Link { orders: orders_in, returns: returns_out, events: events_out, thread, rooms: 0 }, warning))
}

fn start_disk() -> Result<Disk, StartError> {
    let (messages, inbox) = channel::unbounded();
    let (tell, notices) = channel::unbounded();
    let pulse = Arc::new(Pulse::new());
    let beats = Arc::clone(&pulse);
    let run = move || recorder::run(&inbox, &tell, &beats);
    let thread = thread::Builder::new().name("stage-disk".into()).spawn(run).map_err(StartError::Thread)?;
    Ok(Disk { messages, notices, pulse, stalled: false, thread })
}

/// Orders that may wait for a worker, and what they leave over.
const ORDERS: usize = 1024;

/// Events that may wait for the control side.
const EVENTS: usize = 4096;
