//! A whole mixing server on one UDP socket: whoever sends Opus RTP hears everybody else.
//!
//!     cargo run --release --example link_a_server [SECONDS]

use std::{collections::HashMap, collections::hash_map::Entry, error::Error, net::UdpSocket, time::Duration};
use tertulia::{
    engine::{EncoderConfig, LaneConfig, RoomConfig, StreamConfig},
    live::{Stage, StageConfig},
    speaker::{SpeakerId, SpeakerSet},
};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds: f64 = std::env::args().nth(1).map_or(Ok(f64::INFINITY), |seconds| seconds.parse())?;
    let mut stage = Stage::start(StageConfig::default())?;
    let room = stage.open_room(RoomConfig::default())?;
    let socket = UdpSocket::bind("127.0.0.1:5004")?;
    socket.set_read_timeout(Some(Duration::from_millis(1)))?;
    println!("listening {}", socket.local_addr()?);

    let (mut speakers, mut datagram) = (HashMap::new(), [0; 2048]);
    while stage.now(room).is_some_and(|now| now.as_ms() < seconds * 1000.0) {
        if let Ok((len, from)) = socket.recv_from(&mut datagram) {
            let (way_in, _) = match speakers.entry(from) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let lane = LaneConfig::new(SpeakerId(0));
                    let Ok(way_in) = stage.admit(room, lane, &from.to_string()) else { continue }; // full
                    let others = SpeakerSet::everybody_but(way_in.speaker());
                    let stream = StreamConfig { ssrc: 1, payload_type: 111, ..Default::default() };
                    let way_out = stage.subscribe(room, others, EncoderConfig::default(), stream)?;
                    new.insert((way_in, way_out))
                }
            };
            let _ = way_in.push(&datagram[..len]); // what is not taken is counted
        }
        for (address, (_, way_out)) in &mut speakers {
            while let Some(packet) = way_out.pop() {
                socket.send_to(packet, address)?;
            }
        }
    }
    Ok(())
}
