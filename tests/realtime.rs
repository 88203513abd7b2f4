//! Nothing is allocated or freed between a packet coming in and a mix going out. The whole binary runs under a counting
//! allocator, and this is its only test, so that nobody else is counted.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::{alloc::System, hint::black_box};
use tertulia::{
    codec::Encoder,
    engine::{
        Bus, BusConfig, Command, EncoderConfig, Engine, Lane, LaneConfig, Retired, RoomConfig, Shed,
        StreamConfig,
    },
    frame::Channels,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime, Samples},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SPEAKERS: u16 = 6;
const PACKETS: u16 = 300;

struct Trip {
    room: RoomConfig,
    engine: Engine,
    /// What came back, freed at the very end.
    retired: Vec<Retired>,
    datagrams: Vec<Vec<Vec<u8>>>,
    allocations: usize,
}

impl Trip {
    fn new() -> Self {
        let room = RoomConfig { quantum: Quantum::Ms10, channels: Channels::Stereo, ..RoomConfig::default() };
        let retired = Vec::with_capacity(100);
        let datagrams = (0..SPEAKERS).map(stream).collect();
        Self { room, engine: Engine::new(room), retired, datagrams, allocations: 0 }
    }

    /// Whatever `act` does with the engine is counted.
    fn counted(&mut self, act: impl FnOnce(&mut Engine) -> Option<Retired>) {
        let region = Region::new(ALLOCATOR);
        let retired = act(&mut self.engine);
        let change = region.change();
        self.allocations += change.allocations + change.reallocations + change.deallocations;
        self.retired.extend(retired);
    }

    fn admit(&mut self, place: u16) {
        let lane = Box::new(Lane::new(LaneConfig::new(SpeakerId(place)), &self.room).unwrap());
        self.counted(|engine| engine.apply(Command::Admit(lane)));
    }

    fn open(&mut self, place: u16, members: SpeakerSet, relay: bool) {
        let encoder = Some(EncoderConfig { expected_loss_percent: 10, relay, ..EncoderConfig::default() });
        let config = BusConfig { bus: BusId(place), members, encoder, stream: StreamConfig::default() };
        let bus = Box::new(Bus::new(&config, &self.room).unwrap());
        self.counted(|engine| engine.apply(Command::Open(bus)));
    }

    fn arrive(&mut self, speaker: u16, packet: u16) {
        let arrived = SampleTime::from_samples(u64::from(packet) * 960);
        let datagram = std::mem::take(&mut self.datagrams[usize::from(speaker)][usize::from(packet)]);
        self.counted(|engine| {
            engine.receive(SpeakerId(speaker), &datagram, arrived);
            engine.receive(SpeakerId(speaker), &datagram, arrived);
            engine.receive(SpeakerId(speaker), &datagram[..datagram.len() / 2], arrived);
            None
        });
    }

    fn tick(&mut self) -> u32 {
        let mut decodes = 0;
        self.counted(|engine| {
            let tick = engine.tick();
            decodes = tick.work().decodes;
            let bytes: usize = tick.packets().map(|packet| packet.payload.len()).sum();
            let samples: usize = tick.mixes().map(|(_, mix)| mix.len()).sum();
            black_box(bytes + samples + tick.events().len() + tick.playouts().len());
            None
        });
        decodes
    }
}

/// Speaker `place`'s packets: a warbling tone with in-band FEC, another SSRC and clock from the middle on.
fn stream(place: u16) -> Vec<Vec<u8>> {
    let coding = EncoderConfig { expected_loss_percent: 20, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(&coding, Channels::Mono).unwrap();
    (0..PACKETS).map(|packet| datagram(place, packet, &mut encoder)).collect()
}

fn datagram(place: u16, packet: u16, encoder: &mut Encoder) -> Vec<u8> {
    let phase = |i: usize| (usize::from(packet) * 960 + i) as f32 * (0.02 + 0.003 * f32::from(place));
    let frame: Vec<f32> = (0..960).map(|i| 0.4 * phase(i).sin() * (phase(i) * 0.01).sin()).collect();
    let mut payload = vec![0; 1500];
    let bytes = encoder.encode(&frame, &mut payload).unwrap();
    let restarted = u32::from(packet >= PACKETS / 2);
    let mut datagram = vec![0x80, 111];
    datagram.extend(packet.wrapping_add(9000 * restarted as u16).to_be_bytes());
    datagram.extend((u32::from(packet) * 960 + 1_000_000_000 * restarted).to_be_bytes());
    datagram.extend((u32::from(place) + 1000 * restarted).to_be_bytes());
    datagram.extend(&payload[..bytes]);
    datagram
}

#[test]
fn nothing_is_allocated_through_join_loss_restart_overload_relay_and_leave() {
    let mut trip = Trip::new();
    trip.open(0, SpeakerSet::EVERYBODY, false);
    for packet in 0..PACKETS {
        let place = packet / 20;
        if packet % 20 == 0 && place < SPEAKERS {
            trip.admit(place);
            trip.open(place + 1, SpeakerSet::everybody_but(SpeakerId(place)), false);
        }
        for speaker in (0..SPEAKERS).filter(|speaker| (packet * 7 + speaker * 3) % 10 != 0) {
            trip.arrive(speaker, packet);
        }
        commands(&mut trip, packet);
        trip.tick();
        trip.tick();
    }
    let lanes: Vec<_> = (1..SPEAKERS).map(|place| trip.engine.stats(SpeakerId(place)).unwrap()).collect();
    assert!(lanes.iter().all(|lane| lane.samples.fec > 0 && lane.samples.concealed > 0), "{lanes:?}");
    assert!(trip.engine.limiter_max_reduction_db() > 0.0, "six voices are more than full scale");
    assert!(trip.retired.iter().any(|retired| matches!(retired, Retired::Refused(_))));
    assert_eq!(trip.allocations, 0);
    relays();
}

/// One voice is relayed, another comes in now and then, and packets of both are lost.
fn relays() {
    let mut trip = Trip::new();
    trip.open(0, SpeakerSet::EVERYBODY, true);
    (0..2).for_each(|place| trip.admit(place));
    let mut undecoded = 0;
    for packet in 0..PACKETS {
        if packet % 17 != 3 {
            trip.arrive(0, packet);
        }
        if packet % 60 > 40 && packet % 7 != 1 {
            trip.arrive(1, packet);
        }
        undecoded += u32::from(trip.tick() + trip.tick() == 0);
    }
    assert!((30..250).contains(&undecoded), "{undecoded} packets' time of relay, and back each time");
    assert_eq!(trip.allocations, 0);
}

/// Every kind of command at its time, some of them impossible.
fn commands(trip: &mut Trip, packet: u16) {
    let speaker = SpeakerId(1);
    let at = trip.engine.now() + Samples::new(777);
    match packet {
        100 => trip.counted(|engine| engine.apply(Command::Mute { speaker, at })),
        120 => trip.counted(|engine| engine.apply(Command::Unmute { speaker, at })),
        130 => trip.counted(|engine| {
            engine.apply(Command::Gain { speaker, to: 4.0, at, over: Samples::from_ms(50) })
        }),
        140 => trip.counted(|engine| engine.apply(Command::Pan { speaker, to: -0.5, at })),
        145 => trip.counted(|engine| engine.apply(Command::Shed(Shed::Voices))),
        160 => trip.counted(|engine| engine.apply(Command::Shed(Shed::Nothing))),
        150 => trip.counted(|engine| {
            engine.apply(Command::Hear { bus: BusId(3), members: SpeakerSet::NOBODY.with(speaker) })
        }),
        200 => trip.counted(|engine| engine.apply(Command::Dismiss(SpeakerId(0)))),
        210 => trip.counted(|engine| engine.apply(Command::Close(BusId(0)))),
        220 => trip.counted(|engine| engine.apply(Command::Close(BusId(0)))),
        240 => trip.admit(0),
        250 => trip.admit(0),
        _ => {}
    }
}
