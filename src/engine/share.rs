//! No mix is made twice. Outputs that hear the same share one chain: the first leads, the others follow.
//!
//! Who hears the same changes with who talks. A follower that must go its own way first takes over its leader's state,
//! limiter and encoder included, so that its listeners hear no seam; a leader joins another only between packets, while
//! neither limiter works, and when both heard the same in the tick before too, so that nothing else is left in the
//! look-ahead.

use super::bus::{Bus, Role};
use crate::{
    speaker::{BusId, SpeakerSet},
    time::{SampleTime, Samples},
};

type Buses = [Option<Box<Bus>>];

/// The quantum that roles are given for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    pub(super) at: SampleTime,
    pub(super) quantum: Samples,
    /// Who is heard in it.
    pub(super) audible: &'a SpeakerSet,
    /// Who was heard in the one before.
    pub(super) before: &'a SpeakerSet,
}

/// Gives every bus its role; `leaders` are those who lead, in order. Does one wait for the moment to join another?
pub(super) fn assign(buses: &mut Buses, moment: Moment<'_>, leaders: &mut Vec<BusId>) -> bool {
    leaders.clear();
    let mut one_waits = false;
    for place in 0..buses.len() {
        let Some(mut bus) = buses[place].take() else { continue };
        bus.meets = false;
        match leader_for(&bus, buses, moment, leaders) {
            Choice::Joins(leader) => bus.role = Role::Follows(leader),
            choice => {
                take_the_lead(&mut bus, buses);
                leaders.push(bus.id);
                if let Choice::Waits(leader) = choice {
                    approach(&mut bus, leader, buses, moment);
                    one_waits = true;
                }
            }
        }
        buses[place] = Some(bus);
    }
    one_waits
}

/// What a bus does about a leader that makes what it hears.
enum Choice {
    /// There is none.
    Alone,
    /// It shares that one's mix now.
    Joins(BusId),
    /// It will.
    Waits(BusId),
}

fn leader_for(bus: &Bus, buses: &Buses, moment: Moment<'_>, leaders: &[BusId]) -> Choice {
    let heard = bus.members.and(moment.audible);
    let makes_the_same = |leader: &&Bus| bus.can_share(leader) && leader.members.and(moment.audible) == heard;
    let mut alike = leaders.iter().filter_map(|id| bus_at(buses, *id)).filter(makes_the_same).peekable();
    let Some(first) = alike.peek().map(|leader| leader.id) else { return Choice::Alone };
    let leader = alike.find(|leader| may_join(bus, leader, buses, moment));
    leader.map_or(Choice::Waits(first), |leader| Choice::Joins(leader.id))
}

/// Both stay, or come, where their packets begin together.
fn approach(bus: &mut Bus, leader: BusId, buses: &mut Buses, moment: Moment<'_>) {
    let Some(Some(leader)) = buses.get_mut(leader.index()) else { return };
    (bus.meets, leader.meets) = (true, true);
    bus.meet(leader, moment.at, moment.quantum);
}

fn may_join(bus: &Bus, leader: &Bus, buses: &Buses, moment: Moment<'_>) -> bool {
    let maker = match bus.role {
        Role::New => return true,
        Role::Follows(id) if id == leader.id => return true,
        Role::Follows(id) => bus_at(buses, id).unwrap_or(bus),
        Role::Leads => bus,
    };
    let heard_the_same = bus.members.and(moment.before) == leader.members.and(moment.before);
    let at_ease = maker.chain.limiter.is_idle() && leader.chain.limiter.is_idle();
    heard_the_same && at_ease && maker.chain.can_join(&leader.chain, moment.at, moment.quantum)
}

fn take_the_lead(bus: &mut Bus, buses: &Buses) {
    if let Role::Follows(before) = bus.role
        && let Some(before) = bus_at(buses, before)
    {
        bus.chain.copy_from(&before.chain);
        bus.relay = before.relay;
    }
    bus.role = Role::Leads;
}

/// `closing` leaves: the first that followed it takes its place, and the others follow that one.
pub(super) fn bequeath(buses: &mut Buses, closing: &Bus) {
    let mut heir = None;
    for bus in buses.iter_mut().flatten().filter(|bus| bus.role == Role::Follows(closing.id)) {
        match heir {
            Some(heir) => bus.role = Role::Follows(heir),
            None => {
                bus.chain.copy_from(&closing.chain);
                bus.relay = closing.relay;
                bus.role = Role::Leads;
                heir = Some(bus.id);
            }
        }
    }
}

/// The bus whose chain makes what `bus` hears.
pub(super) fn maker<'a>(buses: &'a Buses, bus: &'a Bus) -> &'a Bus {
    match bus.role {
        Role::Follows(leader) => bus_at(buses, leader).unwrap_or(bus),
        Role::New | Role::Leads => bus,
    }
}

pub(super) fn bus_at(buses: &Buses, id: BusId) -> Option<&Bus> {
    buses.get(id.index()).and_then(Option::as_deref)
}
