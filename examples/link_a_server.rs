//! A whole mixing server on one UDP socket: whoever sends Opus RTP hears everybody else.
//!
//!     cargo run --release --example link_a_server [SECONDS]

use std::{collections::HashMap, error::Error, net::UdpSocket, time::Duration};
use tertulia::{
    engine::{EncoderConfig, LaneConfig, RoomConfig, StreamConfig},
    live::{Stage, StageConfig},
    speaker::{SpeakerId, SpeakerSet},
    time::RATE_HZ,
};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(u64::MAX), |seconds| seconds.parse())?;
    let mut stage = Stage::start(StageConfig::default())?;
    let room = stage.open_room(RoomConfig::default())?;
    let socket = UdpSocket::bind("127.0.0.1:5004")?;
    socket.set_read_timeout(Some(Duration::from_millis(1)))?;
    println!("listening {}", socket.local_addr()?);

    let (mut speakers, mut datagram) = (HashMap::new(), [0; 2048]);
    while stage.now(room).is_some_and(|now| now.samples() / u64::from(RATE_HZ) < seconds) {
        if let Ok((len, from)) = socket.recv_from(&mut datagram) {
            if !speakers.contains_key(&from) {
                let packets_in = stage.admit(room, LaneConfig::new(SpeakerId(0)), &from.to_string())?;
                let others = SpeakerSet::everybody_but(packets_in.speaker());
                let stream = StreamConfig {
                    ssrc: speakers.len() as u32,
                    payload_type: 111,
                    ..StreamConfig::default()
                };
                let packets_out = stage.subscribe(room, others, EncoderConfig::default(), stream)?;
                speakers.insert(from, (packets_in, packets_out));
            }
            if let Some((packets_in, _)) = speakers.get_mut(&from) {
                let _ = packets_in.push(&datagram[..len]); // not taken: the lane counts it
            }
        }
        for (address, (_, packets_out)) in &mut speakers {
            while let Some(packet) = packets_out.pop() {
                socket.send_to(packet, address)?;
            }
        }
    }
    Ok(())
}
