//! The two network threads. One receives: datagrams find their speaker by source address. One sends: packets go to whom
//! they are for.

use crate::{house::House, priority::be_punctual};
use std::{
    collections::HashMap,
    net::{SocketAddr, UdpSocket},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};
use tertulia::{
    live::{PacketIn, PacketsOut},
    speaker::BusId,
};

/// A bus and everybody it is sent to.
pub(crate) type Route = (PacketsOut, Vec<SocketAddr>);

/// A source address that has become a speaker.
struct Guest {
    packets_in: PacketIn,
    bus: BusId,
    heard: Instant,
}

/// A guest who sends nothing for so long has left.
const SILENCE: Duration = Duration::from_secs(30);

/// How often they are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// Behind a tick rings are looked at this often, for so long…
const SOON: Duration = Duration::from_micros(250);
const WHILE: Duration = Duration::from_millis(3);
/// …and otherwise this often.
const POLL: Duration = Duration::from_millis(1);

/// Receives until `done`. The socket has a read timeout. Whoever is here already waits for nobody who has the house in hand.
pub(crate) fn receive(
    socket: &UdpSocket,
    house: &Mutex<House>,
    routes: Sender<Route>,
    payload_type: u8,
    done: &AtomicBool,
) {
    // The stage tells whether the machine allows that.
    be_punctual();
    let (mut guests, mut datagram) = (HashMap::<SocketAddr, Guest>::new(), [0; 2048]);
    let mut swept = now();
    while !done.load(Relaxed) {
        let received = socket.recv_from(&mut datagram);
        let now = now();
        if now - swept > SWEEP {
            swept = now;
            dismiss_the_silent(&mut guests, house, now);
        }
        // A timeout, or an ICMP error that some systems report here: neither is a datagram.
        let Ok((len, from)) = received else { continue };
        let bytes = &datagram[..len];
        if !guests.contains_key(&from) && is_media(bytes, payload_type) {
            guests.extend(welcome(house, from, &routes, now).map(|guest| (from, guest)));
        }
        if let Some(guest) = guests.get_mut(&from) {
            guest.heard = now;
            // Not taken: the lane counts it.
            let _ = guest.packets_in.push(bytes);
        }
    }
}

/// Sends until nobody can open a route any more.
pub(crate) fn send(socket: &UdpSocket, new_routes: &Receiver<Route>) {
    be_punctual();
    let (mut routes, mut ticked) = (Vec::<Route>::new(), now());
    loop {
        let next = routes.iter().map(|(packets_out, _)| packets_out.next_tick_in()).min().unwrap_or(POLL);
        let often = if now() < ticked + WHILE { SOON } else { POLL };
        if next <= often {
            ticked = now() + next;
        }
        match new_routes.recv_timeout(next.min(often)) {
            Ok(route) => routes.push(route),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        routes.extend(new_routes.try_iter());
        routes.retain_mut(|route| {
            let closed = route.0.is_closed();
            send_what_came(socket, route);
            !closed
        });
    }
}

fn send_what_came(socket: &UdpSocket, (packets_out, addresses): &mut Route) {
    while let Some(packet) = packets_out.pop() {
        for address in &*addresses {
            // UDP promises nothing: a packet that cannot be sent is a lost one.
            let _ = socket.send_to(packet, address);
        }
    }
}

/// The house, whatever became of another thread that held it.
pub(crate) fn lock(house: &Mutex<House>) -> std::sync::MutexGuard<'_, House> {
    house.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An RTP packet of the type that this room takes (RFC 3550 §5.1).
fn is_media(datagram: &[u8], payload_type: u8) -> bool {
    matches!(datagram, [first, second, ..] if first >> 6 == 2 && second & 0x7f == payload_type && datagram.len() > 12)
}

fn welcome(house: &Mutex<House>, from: SocketAddr, routes: &Sender<Route>, heard: Instant) -> Option<Guest> {
    // No place: the address is not remembered, so that a flood of addresses takes no memory.
    let (packets_in, packets_out) = lock(house).admit(from).ok()?;
    let bus = packets_out.bus();
    routes.send((packets_out, vec![from])).ok()?;
    Some(Guest { packets_in, bus, heard })
}

fn dismiss_the_silent(guests: &mut HashMap<SocketAddr, Guest>, house: &Mutex<House>, now: Instant) {
    guests.retain(|_, guest| {
        let here = now - guest.heard < SILENCE;
        if !here {
            lock(house).dismiss(guest.packets_in.speaker(), guest.bus);
        }
        here
    });
}

#[expect(clippy::disallowed_methods, reason = "who has left is told by the clock")]
fn now() -> Instant {
    Instant::now()
}
