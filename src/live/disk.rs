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
    pub(super) fn feel_pulse(&mut self) -> Vec<Notice> {
        match (self.stuck, self.pulse.stuck()) {
            (None, Some((take, lasts))) => {
                self.stuck = Some(take);
                vec![Notice::RecordingAlert(take, Alert::Stalled(lasts)), Notice::DiskStalled(lasts)]
            }
            (Some(take), None) => {
                self.stuck = None;
                vec![Notice::RecordingAlert(take, Alert::Answers), Notice::DiskAnswers]
            }
            _ => Vec::new(),
        }
    }
}
