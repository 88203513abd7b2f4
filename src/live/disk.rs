//! The recorder's thread as the control side has it in hand: what it is told, what it tells, and whether the disks that it asks answer.

use super::{notice::Notice, pulse::Pulse, recorder::Message, take::TakeId};
use crate::record::Alert;
use crossbeam::channel::{Receiver, Sender};
use std::{sync::Arc, thread::JoinHandle};

/// The control side's ends of the recorder's channels.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) messages: Sender<Message>,
    pub(super) notices: Receiver<Notice>,
    pub(super) pulse: Arc<Pulse>,
    /// Whose disk was told to be stuck.
    pub(super) stuck: Option<TakeId>,
    pub(super) thread: JoinHandle<()>,
}

impl Disk {
    /// Is a disk stuck, or no longer? Told once.
    pub(super) fn feel_pulse(&mut self) -> Option<Notice> {
        let stuck = self.pulse.stuck();
        let told = std::mem::replace(&mut self.stuck, stuck.map(|(take, _)| take));
        match (told, stuck) {
            (None, Some((take, lasts))) => Some(Notice::RecordingAlert(take, Alert::Stalled(lasts))),
            (Some(take), None) => Some(Notice::RecordingAlert(take, Alert::Answers)),
            _ => None,
        }
    }
}
