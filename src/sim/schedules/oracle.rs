//! What should stand in a track, told in the simplest way there is: the room's time is cut at every act, each piece is open
//! or shut, and each packet is asked in turn.

use super::life::{Act, Life, Sent};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    /// Kept without its padding.
    Stripped,
    LeftOut,
}

/// A voice's whole time in pieces: from where on, and whether it may be kept from there.
pub(super) struct Time {
    /// In order, the first at 0.
    pieces: Vec<(u64, Piece)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    present: bool,
    pub(super) agreed: bool,
    muted: bool,
    paused: bool,
}

impl Piece {
    fn is_open(self) -> bool {
        self.is_open_or_muted() && !self.muted
    }

    fn is_open_or_muted(self) -> bool {
        self.present && self.agreed && !self.paused
    }

    fn after(self, act: Act) -> Self {
        match act {
            Act::Join => Self { present: true, ..self },
            Act::Leave => Self { paused: self.paused, ..Self::default() },
            Act::Grant => Self { agreed: self.present, ..self },
            Act::Withdraw => Self { agreed: false, ..self },
            Act::Mute => Self { muted: self.present, ..self },
            Act::Unmute => Self { muted: false, ..self },
            Act::Pause => Self { paused: true, ..self },
            Act::Resume => Self { paused: false, ..self },
        }
    }
}

impl Time {
    pub(super) fn of(life: &Life, pauses: &[(u64, Act)]) -> Self {
        let mut acts: Vec<(u64, Act)> = pauses.iter().chain(&life.acts).copied().collect();
        acts.sort_by_key(|(at, _)| *at);
        let mut pieces = vec![(0, Piece::default())];
        let mut piece = Piece::default();
        for (at, act) in acts {
            piece = piece.after(act);
            pieces.push((at, piece));
        }
        // Of pieces without a length the last one counts.
        pieces.reverse();
        pieces.dedup_by_key(|(at, _)| *at);
        pieces.reverse();
        Self { pieces }
    }

    /// The pieces that lie in `from..to`.
    fn within(&self, from: u64, to: u64) -> impl Iterator<Item = Piece> + '_ {
        let first = self.pieces.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        self.pieces[first..].iter().take_while(move |(at, _)| *at < to).map(|(_, piece)| *piece)
    }

    /// May all of `from..to` be kept?
    fn is_open(&self, from: u64, to: u64) -> bool {
        from >= to || self.within(from, to).all(Piece::is_open)
    }

    /// How many samples of `from..to` may not be kept.
    pub(super) fn shut_samples(&self, from: u64, to: u64) -> u64 {
        (from..to).filter(|at| !self.is_open(*at, at + 1)).count() as u64
    }

    /// When the speaker had agreed: from where to where, neighbours made one.
    pub(super) fn agreed(&self) -> Vec<(u64, u64)> {
        let ends = self.pieces.iter().skip(1).map(|(at, _)| *at).chain([u64::MAX]);
        let mut spans: Vec<(u64, u64)> = Vec::new();
        for ((from, _), to) in self.pieces.iter().zip(ends).filter(|((_, piece), _)| piece.agreed) {
            match spans.last_mut() {
                Some(last) if last.1 == *from => last.1 = to,
                _ => spans.push((*from, to)),
            }
        }
        spans
    }

    fn first_join(&self) -> u64 {
        self.pieces.iter().find(|(_, piece)| piece.present).map_or(u64::MAX, |(at, _)| *at)
    }

    /// What becomes of each packet that arrived, in order of place.
    pub(super) fn fates<'a>(&self, life: &'a Life) -> Vec<(&'a Sent, Fate)> {
        let (mut encoder, mut told) = (Encoder::default(), self.first_join());
        let arrived = life.sent.iter().filter_map(|sent| sent.arrived.map(|arrived| (sent, arrived)));
        arrived
            .map(|(sent, arrived)| {
                let end = sent.place + sent.samples;
                let open = self.is_open(sent.place.min(arrived), end);
                if !open || !self.is_open(told, sent.place) {
                    let mute = |from, to| from >= to || self.within(from, to).all(Piece::is_open_or_muted);
                    let was_refused = encoder.refused && encoder.remembers.is_some_and(|it| it < 14_400);
                    encoder.refused = was_refused
                        || !mute(told.min(sent.place), sent.place)
                        || !open && !mute(sent.place.min(arrived), end);
                    encoder.remembers = Some(0);
                }
                told = told.max(end);
                (sent, if open { encoder.fate(sent) } else { Fate::LeftOut })
            })
            .collect()
    }
}

/// What an encoder has taken in since a gate was shut.
#[derive(Default)]
struct Encoder {
    remembers: Option<u64>,
    /// Was it more than a mute?
    refused: bool,
    run: Option<(u32, u32)>,
    frame: u64,
}

impl Encoder {
    /// In the open: 60 ms are left out, at least 40 ms and a frame, 100 ms of SILK of 10 ms, 300 ms of CELT unless it was
    /// a mute; padding goes for 1.1 s.
    fn fate(&mut self, sent: &Sent) -> Fate {
        let run = Some((sent.stay, sent.epoch));
        let another = std::mem::replace(&mut self.run, run) != run;
        let toc = sent.payload[0];
        let frames = if toc & 3 == 3 { u64::from(sent.payload[1] & 63) } else { 1 };
        let frame = sent.samples / frames;
        let Some(taken_in) = self.remembers.map(|taken_in| if another { 0 } else { taken_in }) else {
            return Fate::Kept;
        };
        let copied = if taken_in == 0 { 0 } else { self.frame };
        let smeared = match frame {
            _ if toc >= 128 && self.refused => 14_400,
            480 if toc < 128 => 4_800,
            _ => 1_920 + copied.max(960),
        };
        self.remembers = Some(taken_in + sent.samples);
        self.frame = frame;
        match taken_in {
            _ if taken_in < smeared => Fate::LeftOut,
            ..52_800 => Fate::Stripped,
            _ => Fate::Kept,
        }
    }
}
