//! A server with manners, in real time: a live room of three voices, and a steward that keeps of it what its people agree to.
//! Fifteen seconds: a recording and a transcript begin, one voice says yes, one says no and goes on being heard, one has
//! second thoughts; a listener takes a sound bite; in the end a voice is taken back, and the mix is rendered without it.
//!
//! `cargo run --release --example host_an_evening -- evening`
use std::{error::Error, path::Path, thread, time::Duration};
use tertulia::{
    consent::Purpose,
    engine::{LaneConfig, RoomConfig},
    live::{Control, PacketIn, RoomId, Stage, StageConfig, Transcript},
    record::Recording,
    render::{Format, Of, Order as Wanted, What, deliver},
    room::{ClipRequest, Fact, ItemId, Moment, Person, Refusal, Role, Room, Rules, SigningKey, Span},
    sim::{Talker, loudest_dbfs},
    speaker::SpeakerId,
    steward::{Order, Steward},
    time::{SampleTime, UnixMs},
};

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Done {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "evening".to_owned());
    if folder.starts_with('-') {
        println!("host_an_evening [FOLDER]: hosts a room for 15 s and keeps it in FOLDER (default: evening)");
        return Ok(());
    }
    let mut house = House::open(Path::new(&folder))?;
    let recording = the_talk(&mut house)?;
    let clip = the_sound_bite(&mut house, recording)?;
    the_end(&mut house, recording, clip)?;
    println!("\n{folder}/ holds the room's log, and what was kept of it.");
    Ok(())
}

/// Mara agrees, George does not, Emma has second thoughts; all are heard.
fn the_talk(house: &mut House) -> Done<ItemId> {
    house.scene("Ada hosts; Mara, George and Emma are on stage, Leo listens.");
    house.decide(|room, now| room.join(person("ada"), Role::Host, None, false, now))?;
    house.decide(|room, now| room.join(person("leo"), Role::Listener, None, false, now))?;
    ["mara", "george", "emma"].into_iter().try_for_each(|name| house.seat(name))?;
    house.talk_for(1.0)?;
    house.scene("Ada records, and has it written down. All are asked; nobody is in it yet.");
    let recording = house.decide(|room, now| room.record(person("ada"), now))?;
    house.decide(|room, now| room.transcribe(person("ada"), now))?;
    house.talk_for(1.0)?;
    house.scene("Mara says yes to everything, Emma to being recorded, George to nothing.");
    for purpose in [Purpose::Record, Purpose::Clip, Purpose::Transcribe] {
        house.decide(|room, now| room.agree(person("mara"), purpose, None, now))?;
        house.decide(|room, now| room.decline(person("george"), purpose, now))?;
    }
    house.decide(|room, now| room.agree(person("emma"), Purpose::Record, None, now))?;
    house.talk_for(4.0)?;
    house.scene("Emma has second thoughts. From this sample on she is not in it.");
    house.decide(|room, now| room.decline(person("emma"), Purpose::Record, now))?;
    house.talk_for(2.0)?;
    Ok(recording)
}

/// Leo gets a second of Mara; a stretch with Emma in it he does not get.
fn the_sound_bite(house: &mut House, parent: ItemId) -> Done<ItemId> {
    house.scene("Leo wants a second as a sound bite.");
    let span = Span { from_sample: SampleTime::from_ms(3_000.0), to_sample: SampleTime::from_ms(4_000.0) };
    let both = ClipRequest { parent, span, audible: vec![person("mara"), person("emma")] };
    if let Err(why) = house.decide(|room, now| room.clip(person("leo"), &both, now)) {
        println!("          refused: {}", by_name(&why.to_string()));
    }
    let hers = ClipRequest { audible: vec![person("mara")], ..both };
    let clip = house.decide(|room, now| room.clip(person("leo"), &hers, now))?;
    house.talk_for(4.0)?;
    Ok(clip)
}

/// The recording ends; Mara takes it back, and with it goes the clip.
fn the_end(house: &mut House, recording: ItemId, clip: ItemId) -> Done {
    house.scene("Ada ends it all.");
    house.decide(|room, now| room.end(person("ada"), now))?;
    house.until(|fact| matches!(fact, Fact::Kept(item, _) if *item == recording))?;
    house.until(|fact| matches!(fact, Fact::Kept(item, _) if *item == clip))?;
    house.look_at(recording)?;
    house.scene("Mara takes back what she said. The mix is rendered once more.");
    let all = Span { from_sample: SampleTime::ZERO, to_sample: house.now().at };
    house.decide(|room, now| room.revoke(person("mara"), all, now))?;
    house.until(|fact| matches!(fact, Fact::Redacted { .. }))?;
    house.until(|fact| matches!(fact, Fact::Deleted { item, .. } if *item == clip))?;
    house.look_at(recording)
}

/// Names stay here; the log knows pseudonyms.
const NAMES: [&str; 5] = ["ada", "mara", "george", "emma", "leo"];

fn person(name: &str) -> Person {
    Person::of(b"a secret of this evening's, drawn at random", name)
}

/// With names instead of pseudonyms.
fn by_name(text: &str) -> String {
    NAMES.iter().fold(text.to_owned(), |text, name| text.replace(&person(name).to_string(), name))
}

/// The server.
struct House {
    control: Control,
    live: RoomId,
    steward: Steward,
    voices: Vec<Voice>,
    transcript: Option<Transcript>,
}

/// Somebody who talks without end, in packets of 20 ms.
struct Voice {
    way_in: PacketIn,
    packets: Box<dyn Iterator<Item = Box<[u8]>>>,
    number: u16,
}

impl House {
    fn open(folder: &Path) -> Done<Self> {
        let mut control = Stage::start(StageConfig { realtime: false, ..StageConfig::default() })?;
        let live = control.open_room(RoomConfig::default())?;
        let now = Moment { at: SampleTime::ZERO, wall: wall(0.0) };
        // A server draws its key at random once, and keeps it where keys are kept.
        let key = SigningKey::from_bytes(&[42; 32]);
        let steward = Steward::open(live, folder, Rules::default(), person("ada"), key, now)?;
        Ok(Self { control, live, steward, voices: Vec::new(), transcript: None })
    }

    fn now(&self) -> Moment {
        let at = self.control.now(self.live).unwrap_or_default();
        Moment { at, wall: wall(at.as_ms()) }
    }

    fn scene(&self, text: &str) {
        println!("\n{:>6.2} s  {text}", self.now().at.as_ms() / 1000.0);
    }

    /// A lane in the live room, and a chair on the stage.
    fn seat(&mut self, name: &str) -> Done {
        let way_in = self.control.admit(self.live, LaneConfig::new(SpeakerId(0)), name)?;
        let (speaker, seed) = (way_in.speaker(), self.voices.len() as u64);
        self.steward.call(person(name), name);
        self.voices.push(Voice { way_in, packets: Box::new(Talker::new(seed).packets()), number: 0 });
        self.decide(|room, now| room.join(person(name), Role::Speaker, Some(speaker), false, now))?;
        Ok(())
    }

    /// Everything that people want goes this way.
    fn decide<T>(&mut self, request: impl FnOnce(&mut Room, Moment) -> Result<T, Refusal>) -> Done<T> {
        let now = self.now();
        let done = self.steward.decide(&mut self.control, now, |room| request(room, now));
        self.obey();
        Ok(done?)
    }

    /// What is left to the server: here it is shown.
    fn obey(&mut self) {
        while let Some(order) = self.steward.poll() {
            match order {
                Order::WriteDown(_, transcript) => self.transcript = Some(transcript),
                Order::Tell(news) => println!("          {}", by_name(&format!("{news:?}"))),
                other => println!("          {}", by_name(&format!("{other:?}"))),
            }
        }
    }

    /// The room goes on: packets come in, and time passes.
    fn talk_for(&mut self, seconds: f64) -> Done {
        let until = SampleTime::from_ms(self.now().at.as_ms() + seconds * 1000.0);
        while self.now().at < until {
            let now = self.now();
            self.voices.iter_mut().for_each(|voice| voice.talk_until(now.at));
            self.steward.advance(&mut self.control, now)?;
            self.obey();
            self.write_down();
            thread::park_timeout(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Where a server would ask a recogniser for words.
    fn write_down(&mut self) {
        let Some(transcript) = &mut self.transcript else { return };
        while let Some(heard) = transcript.read() {
            if heard.at.samples() % 48_000 < heard.pcm.len() as u64 {
                println!("          to be written down at {:.0} ms: {}", heard.at.as_ms(), heard.speaker);
            }
        }
    }

    /// Until the log says so.
    fn until(&mut self, says: impl Fn(&Fact) -> bool) -> Done {
        for _ in 0..1_000 {
            let now = self.now();
            self.steward.advance(&mut self.control, now)?;
            self.obey();
            if self.steward.room().entries().iter().any(|entry| says(&entry.fact)) {
                return Ok(());
            }
            thread::park_timeout(Duration::from_millis(10));
        }
        Err("nothing was kept within ten seconds".into())
    }

    /// Renders the mix, and says how loud each voice is in it.
    fn look_at(&self, recording: ItemId) -> Done {
        let folder = self.steward.folder_of(recording);
        let recording = Recording::open(&folder)?;
        let (of, format) = (Of::Mix, Format::Opus { bitrate_bps: 64_000 });
        let wanted = Wanted { of, format, span: None, path: folder.join("mix.opus") };
        let names: Vec<String> = recording.manifest().speakers.keys().cloned().collect();
        let mut loudest: Vec<f64> = vec![-200.0; names.len()];
        deliver(&recording, &What::default(), &[wanted], &mut |block| {
            for (name, loudest) in names.iter().zip(&mut loudest) {
                let stem = block.stem(name).map_or(-200.0, |stem| loudest_dbfs(stem, block.channels));
                *loudest = loudest.max(stem);
            }
        })?;
        for (name, dbfs) in names.iter().zip(loudest) {
            let level = if dbfs > -90.0 { format!("{dbfs:.0} dBFS") } else { "nothing".to_owned() };
            println!("          in the mix: {name:<8}{level}");
        }
        Ok(())
    }
}

impl Voice {
    /// Sends what has been said by now.
    fn talk_until(&mut self, now: SampleTime) {
        while u64::from(self.number) * 960 < now.samples()
            && let Some(payload) = self.packets.next()
        {
            let mut packet = vec![0x80, 111];
            packet.extend(self.number.to_be_bytes());
            packet.extend((u32::from(self.number) * 960).to_be_bytes());
            packet.extend([0, 0, 0, 7]);
            packet.extend_from_slice(&payload);
            let _ = self.way_in.push(&packet); // what is not taken is counted
            self.number += 1;
        }
    }
}

/// A wall clock of straw, so that the papers of each evening can be compared.
fn wall(ms: f64) -> UnixMs {
    UnixMs(1_760_000_000_000 + ms as u64)
}
