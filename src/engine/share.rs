//! No mix is made twice. Outputs that hear the same share one chain: the first leads, the others follow.
//!
//! Who hears the same changes with who talks. A follower that must go its own way first takes over its leader's state,
//! limiter and encoder included, so that its listeners hear no seam; a leader joins another only between packets and
//! while neither limiter works.

use super::bus::{Bus, Role};
use crate::{
    speaker::{BusId, SpeakerSet},
    time::SampleTime,
};

type Buses = [Option<Box<Bus>>];

/// Gives every bus its role for the quantum at `at`, in which `audible` are heard; the leaders, in order.
pub(super) fn assign(buses: &mut Buses, audible: &SpeakerSet, at: SampleTime, leaders: &mut Vec<BusId>) {
    leaders.clear();
    for place in 0..buses.len() {
        let Some(mut bus) = buses[place].take() else { continue };
        match leader_for(&bus, buses, audible, at, leaders) {
            Some(leader) => bus.role = Role::Follows(leader),
            None => {
                take_the_lead(&mut bus, buses);
                leaders.push(bus.id);
            }
        }
        buses[place] = Some(bus);
    }
}

/// The leader whose mix `bus` may share now.
fn leader_for(
    bus: &Bus,
    buses: &Buses,
    audible: &SpeakerSet,
    at: SampleTime,
    leaders: &[BusId],
) -> Option<BusId> {
    let heard = bus.members.and(audible);
    leaders.iter().copied().find(|id| {
        let Some(leader) = bus_at(buses, *id) else { return false };
        bus.can_share(leader) && leader.members.and(audible) == heard && may_join(bus, leader, buses, at)
    })
}

fn may_join(bus: &Bus, leader: &Bus, buses: &Buses, at: SampleTime) -> bool {
    let before = match bus.role {
        Role::New => return true,
        Role::Follows(before) if before == leader.id => return true,
        Role::Follows(before) => bus_at(buses, before),
        Role::Leads => Some(bus),
    };
    let at_ease =
        before.is_none_or(|before| before.chain.limiter.is_idle()) && leader.chain.limiter.is_idle();
    at_ease && leader.chain.is_between_packets(at)
}

fn take_the_lead(bus: &mut Bus, buses: &Buses) {
    if let Role::Follows(before) = bus.role
        && let Some(before) = bus_at(buses, before)
    {
        bus.chain.copy_from(&before.chain);
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
