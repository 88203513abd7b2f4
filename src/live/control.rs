//! The handle that ordinary threads hold: verbs go down to the workers, notices come up. It builds what goes down and
//! frees what comes back.

use super::{
    bell::{Bells, Door},
    clock,
    config::StageConfig,
    disk::Disk,
    error::{AttachError, OpenError, OrderError},
    gauge::WorkerGauge,
    hall::Hall,
    notice::Notice,
    outlet::{self, Outlet, PacketsOut, PcmOut},
    port::{self, PacketIn},
    recorder::Message,
    room::{Room, RoomId, Task},
    seats::Seats,
    stats::RoomStats,
    warning::Warning,
    worker::{Order, Return, Worker},
};
use crate::{
    engine::{Bus, BusConfig, Command, EncoderConfig, Event, Lane, LaneConfig, RoomConfig, StreamConfig},
    record::Allowance,
    speaker::{BusId, MAX_SPEAKERS, SpeakerId, SpeakerSet},
    time::{SampleTime, Samples},
};
use rtrb::{Consumer, Producer};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    thread::JoinHandle,
    time::Instant,
};

/// For a change's `at`: as soon as possible.
pub const SOON: SampleTime = SampleTime::ZERO;

/// A running stage. Every verb allocates or frees, so it belongs on an ordinary thread; none waits, so that it can be
/// shared behind a mutex. Dropping it ends every room, and does wait: until recordings are on disk.
#[derive(Debug)]
pub struct Control {
    pub(super) config: StageConfig,
    warnings: Vec<Warning>,
    pub(super) workers: Vec<Link>,
    bells: Arc<[Bells]>,
    disk: Option<Disk>,
    pub(super) halls: BTreeMap<RoomId, Hall>,
    notices: VecDeque<Notice>,
    seats: Seats<u32>,
    rooms_opened: u32,
    /// What recordings may keep in memory.
    pub(super) allowance: Allowance,
    /// When rooms were last weighed against each other.
    pub(super) weighed: Instant,
}

/// The control side's ends of one worker's rings.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) orders: Producer<Order>,
    pub(super) returns: Consumer<Return>,
    pub(super) events: Consumer<(RoomId, Event)>,
    pub(super) thread: JoinHandle<Worker>,
    pub(super) gauge: Arc<WorkerGauge>,
    pub(super) rooms: usize,
}

impl Control {
    pub(super) fn new(
        config: StageConfig,
        warnings: Vec<Warning>,
        workers: Vec<Link>,
        bells: Arc<[Bells]>,
        disk: Disk,
    ) -> Self {
        Self {
            config,
            warnings,
            workers,
            bells,
            disk: Some(disk),
            halls: BTreeMap::new(),
            notices: VecDeque::new(),
            seats: Seats::new(0..config.seats() as u32),
            rooms_opened: 0,
            allowance: Allowance::new(config.recording_bytes),
            weighed: clock::now(),
        }
    }

    /// What the stage cannot do on this machine.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Opens a room on the worker that has the least to do. Its sample 0 lies some milliseconds ahead.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_room(&mut self, config: RoomConfig) -> Result<RoomId, OpenError> {
        self.sweep();
        if usize::from(config.max_lanes) > MAX_SPEAKERS {
            return Err(OpenError::TooManyLanes);
        }
        let worker = self.worker_for_a_new_room()?;
        let seat = self.seats.take().ok_or(OpenError::Full)?;
        let id = RoomId { number: self.rooms_opened, seat };
        let door = Door::new(seat, worker, Arc::clone(&self.bells));
        let hall = Hall::new(worker, self.rooms_opened, config, door);
        let room = Box::new(Room::new(id, config, &self.config, hall.front.clone()));
        let link = self.workers.get_mut(worker).ok_or(OpenError::Full)?;
        if link.orders.push(Order::Open(room)).is_err() {
            self.seats.untake(seat);
            return Err(OpenError::Busy);
        }
        link.rooms += 1;
        self.rooms_opened += 1;
        self.halls.insert(id, hall);
        Ok(id)
    }

    /// Closes a room; its last figures come as [`Notice::Closed`]. A recording of it ends.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn close_room(&mut self, room: RoomId) -> Result<(), OrderError> {
        self.give(room, Order::Close(room))?;
        self.halls.remove(&room);
        Ok(())
    }

    /// What all recordings keep in memory now, because their disks have not taken it yet: in bytes, tapes aside.
    #[must_use]
    pub fn recording_bytes(&self) -> usize {
        self.allowance.held()
    }

    /// The room's clock, now.
    #[must_use]
    pub fn now(&self, room: RoomId) -> Option<SampleTime> {
        Some(self.halls.get(&room)?.front.epoch.sample_at(clock::now()))
    }

    /// Lets a speaker in. The stage chooses the place, whatever `lane.speaker` says; `name` is the recording's.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn admit(&mut self, room: RoomId, lane: LaneConfig, name: &str) -> Result<PacketIn, AttachError> {
        self.sweep();
        let bytes = self.config.lane_bytes;
        let hall = self.halls.get_mut(&room).ok_or(AttachError::NoRoom)?;
        let speaker = SpeakerId(hall.speakers.take().ok_or(AttachError::Full)?);
        let admission = hall.admissions;
        let (packet_in, inlet) = port::packets_in(speaker, admission, name, hall.front.clone(), bytes);
        let built = Lane::new(LaneConfig { speaker, ..lane }, &hall.config).map_err(AttachError::Build);
        let admitted = built
            .and_then(|lane| Ok(self.task(room, Task::Admit(Box::new(lane), Box::new(inlet)))?))
            .map(|()| packet_in);
        if let Some(hall) = self.halls.get_mut(&room) {
            match &admitted {
                Ok(_) => {
                    hall.admissions += 1;
                    hall.admitted.insert(speaker, admission);
                }
                Err(_) => hall.speakers.untake(speaker.0),
            }
        }
        admitted
    }

    /// Sends a speaker out; the last figures come as [`Notice::Left`].
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn dismiss(&mut self, room: RoomId, speaker: SpeakerId) -> Result<(), OrderError> {
        self.task(room, Task::Dismiss(speaker))
    }

    /// Silences a voice from `at` on, live and in its recording.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn mute(&mut self, room: RoomId, speaker: SpeakerId, at: SampleTime) -> Result<(), OrderError> {
        self.task(room, Task::Change(Command::Mute { speaker, at }))
    }

    /// Lets a voice be heard again from `at` on.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn unmute(&mut self, room: RoomId, speaker: SpeakerId, at: SampleTime) -> Result<(), OrderError> {
        self.task(room, Task::Change(Command::Unmute { speaker, at }))
    }

    /// Makes a voice louder or softer: to the linear factor `to`, from `at` on, over a ramp of `over`.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn gain(
        &mut self,
        room: RoomId,
        speaker: SpeakerId,
        to: f32,
        at: SampleTime,
        over: Samples,
    ) -> Result<(), OrderError> {
        self.task(room, Task::Change(Command::Gain { speaker, to, at, over }))
    }

    /// Moves a voice between −1, left, and 1, right, from `at` on.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn pan(
        &mut self,
        room: RoomId,
        speaker: SpeakerId,
        to: f32,
        at: SampleTime,
    ) -> Result<(), OrderError> {
        self.task(room, Task::Change(Command::Pan { speaker, to, at }))
    }

    /// Opens a bus that sends `members` as RTP.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn subscribe(
        &mut self,
        room: RoomId,
        members: SpeakerSet,
        encoder: EncoderConfig,
        stream: StreamConfig,
    ) -> Result<PacketsOut, AttachError> {
        let bytes = self.config.bus_bytes;
        let config = BusConfig { bus: BusId(0), members, encoder: Some(encoder), stream };
        self.attach(room, config, |bus, hall| outlet::packets_out(bus, hall.beat(), bytes))
    }

    /// Opens a bus that gives the mix of `members` itself; its ring holds a second.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn subscribe_pcm(&mut self, room: RoomId, members: SpeakerSet) -> Result<PcmOut, AttachError> {
        let config = BusConfig { bus: BusId(0), members, encoder: None, stream: StreamConfig::default() };
        self.attach(room, config, |bus, hall| outlet::pcm_out(bus, hall.second()))
    }

    /// Gives a bus other members.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn hear(&mut self, room: RoomId, bus: BusId, members: SpeakerSet) -> Result<(), OrderError> {
        self.task(room, Task::Change(Command::Hear { bus, members }))
    }

    /// Closes a bus.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn unsubscribe(&mut self, room: RoomId, bus: BusId) -> Result<(), OrderError> {
        self.task(room, Task::Unsubscribe(bus))
    }

    /// Asks a room for its figures: they come as [`Notice::Measured`] after a tick or, in a room of many speakers, some.
    /// Asking again before that changes nothing.
    ///
    /// # Errors
    /// See [`OrderError`].
    pub fn measure(&mut self, room: RoomId) -> Result<(), OrderError> {
        let hall = self.halls.get(&room).ok_or(OrderError::NoRoom)?;
        let blank = RoomStats {
            speakers: Vec::with_capacity(hall.config.max_lanes.into()),
            buses: Vec::with_capacity(hall.config.max_buses.into()),
            ..RoomStats::default()
        };
        self.task(room, Task::Measure(Box::new(blank)))
    }

    /// The oldest notice not yet read. Call it now and then: it also frees what has come back, and moves rooms from
    /// workers that have too much to do.
    pub fn poll(&mut self) -> Option<Notice> {
        self.sweep();
        self.weigh();
        self.notices.pop_front()
    }

    fn attach<Out>(
        &mut self,
        room: RoomId,
        config: BusConfig,
        ends: impl FnOnce(BusId, &Hall) -> (Out, Outlet),
    ) -> Result<Out, AttachError> {
        self.sweep();
        let hall = self.halls.get_mut(&room).ok_or(AttachError::NoRoom)?;
        let bus = BusId(hall.buses.take().ok_or(AttachError::Full)?);
        let (out, outlet) = ends(bus, hall);
        let built = Bus::new(&BusConfig { bus, ..config }, &hall.config).map_err(AttachError::Build);
        let attached = built
            .and_then(|bus| Ok(self.task(room, Task::Subscribe(Box::new(bus), Box::new(outlet)))?))
            .map(|()| out);
        if let (Err(_), Some(hall)) = (&attached, self.halls.get_mut(&room)) {
            hall.buses.untake(bus.0);
        }
        attached
    }

    pub(super) fn task(&mut self, room: RoomId, task: Task) -> Result<(), OrderError> {
        self.give(room, Order::Do(room, task))
    }

    fn give(&mut self, room: RoomId, order: Order) -> Result<(), OrderError> {
        self.sweep();
        let hall = self.halls.get(&room).ok_or(OrderError::NoRoom)?;
        let link = self.workers.get_mut(hall.worker).ok_or(OrderError::NoRoom)?;
        link.orders.push(order).map_err(|_| OrderError::Busy)
    }

    pub(super) fn tell(&self, message: Message) {
        if let Some(disk) = &self.disk {
            // The recorder's thread ends only after this end of the channel.
            let _ = disk.messages.send(message);
        }
    }

    /// Takes in what has come up, and frees it.
    pub(super) fn sweep(&mut self) {
        let Self { workers, halls, notices, disk, seats, .. } = self;
        for (worker, link) in workers.iter_mut().enumerate() {
            while let Ok((room, event)) = link.events.pop() {
                notices.push_back(Notice::Event(room, event));
            }
            while let Ok(back) = link.returns.pop() {
                match back {
                    Return::Leftover(room, leftover) => notices.extend(match halls.get_mut(&room) {
                        Some(hall) => hall.settle(room, leftover),
                        None => Notice::of(room, leftover),
                    }),
                    Return::Room(room) => {
                        link.rooms -= 1;
                        seats.free(room.id.seat);
                        notices.push_back(Notice::Closed(room.id, Box::new(room.final_stats())));
                    }
                    Return::Shed(rung) => notices.push_back(Notice::Shed { worker, rung }),
                }
            }
        }
        if let Some(disk) = disk {
            notices.extend(disk.notices.try_iter());
            notices.extend(disk.feel_pulse());
        }
        notices.drain(..notices.len().saturating_sub(MAX_NOTICES));
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        for Link { orders, thread, .. } in self.workers.drain(..) {
            drop(orders);
            // A worker that panicked has nothing to give back.
            drop(thread.join());
        }
        if let Some(Disk { messages, thread, .. }) = self.disk.take() {
            drop(messages);
            drop(thread.join());
        }
    }
}

/// Notices that nobody reads are forgotten, the oldest first.
const MAX_NOTICES: usize = 65_536;
