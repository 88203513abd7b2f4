//! One room's evening, told by the policy alone: who asks whom, what opens and shuts when, what a listener may cut out of
//! it, what is deleted, and what is left to show for it. No audio; where a recorder would act, a line is printed.
//!
//! `cargo run --example ask_for_consent -- evening` leaves the evening's papers in `evening/`; `verify` checks them.
use std::{
    error::Error,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};
use tertulia::{
    consent::Purpose,
    room::{
        ClipRequest, Effect, Hex, Moment, Notice, Person, Refusal, Role, Room, Rules, Signed, SigningKey,
        Span, Statement, sha256,
    },
    speaker::SpeakerId,
    time::{SampleTime, UnixMs},
};

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "evening".to_owned());
    if folder.starts_with('-') {
        println!(
            "ask_for_consent [FOLDER]: plays an evening and leaves its papers in FOLDER (default: evening)"
        );
        return Ok(());
    }
    let mut server = Server::open(Path::new(&folder))?;
    the_talk(&mut server)?;
    the_sound_bite(&mut server)?;
    the_morning_after(&mut server)?;
    println!("\n{folder}/ holds the log, its signed head, and what was handed out of it. Now:");
    println!("  verify {folder}/evening.log {folder}/head.json --older {folder}/head-live.json \\");
    println!(
        "      --receipt {folder}/receipt.json --clip {folder}/clip.json --proof {folder}/deletion.json"
    );
    Ok(())
}

/// Mara agrees, George does not, Emma is a child; all are heard.
fn the_talk(server: &mut Server) -> Done {
    let [ada, mara, george, emma, leo] = NAMES.map(person);
    server.scene("The room opens. Ada hosts; Mara, George and Emma are on stage; Leo listens.");
    server.room.join(ada, Role::Host, Some(SpeakerId(0)), false, server.now)?;
    server.room.join(mara, Role::Speaker, Some(SpeakerId(1)), false, server.now)?;
    server.room.join(george, Role::Speaker, Some(SpeakerId(2)), false, server.now)?;
    server.room.join(emma, Role::Speaker, Some(SpeakerId(3)), true, server.now)?;
    server.room.join(leo, Role::Listener, None, false, server.now)?;
    server.go()?;

    server.later(60, "Ada begins to record. Everybody on stage is asked; nobody is in it yet.");
    server.room.record(ada, server.now)?;
    server.go()?;

    server.later(5, "Ada and Mara say yes, George says no. He goes on being heard by everybody.");
    server.room.agree(ada, Purpose::Record, None, server.now)?;
    server.room.agree(mara, Purpose::Record, None, server.now)?;
    server.room.agree(mara, Purpose::Clip, None, server.now)?;
    server.room.decline(george, Purpose::Record, server.now)?;
    server.go()?;

    server.later(10, "Emma says yes, which is not enough. Ada, who looks after her, says so too.");
    refused(server.room.agree(emma, Purpose::Record, None, server.now));
    server.room.agree_for(ada, emma, Purpose::Record, server.now)?;
    server.go()?;

    server.later(600, "Mara has second thoughts and withdraws: as easy as saying yes, from this sample on.");
    server.room.decline(mara, Purpose::Record, server.now)?;
    server.go()?;
    server.save("head-live.json", server.room.head(server.now.wall))
}

/// Leo asks for a sound bite, and gets the one that everybody in it agreed to.
fn the_sound_bite(server: &mut Server) -> Done {
    let [ada, mara, leo] = ["ada", "mara", "leo"].map(person);
    server.later(60, "Leo wants a minute as a sound bite. Ada was audible in it and has not agreed to that.");
    let recording = server.room.items().next().ok_or("a recording")?.0;
    let [from_sample, to_sample] = [100, 160].map(|second| SampleTime::from_ms(f64::from(second) * 1000.0));
    let span = Span { from_sample, to_sample };
    let both = ClipRequest { parent: recording, span, audible: vec![ada, mara] };
    refused(server.room.clip(leo, &both, server.now));

    server.later(5, "Half of it, where only Mara speaks, is hers to allow: she did, at the time.");
    let hers = Span { to_sample: SampleTime::from_ms(130_000.0), ..span };
    let hers = ClipRequest { span: hers, audible: vec![mara], ..both };
    let clip = server.room.clip(leo, &hers, server.now)?;
    server.go()?;
    // Whoever cuts it says what the file hashes to, and what lies around it in the recording.
    let (bytes, around) = (sha256(b"the clip's file"), sha256(b"a minute before and after"));
    server.room.kept(clip, bytes, server.now)?;
    server.go()?;
    let window =
        Span { from_sample: SampleTime::from_ms(70_000.0), to_sample: SampleTime::from_ms(190_000.0) };
    let papers = server.room.clip_manifest(clip, bytes, window, around).ok_or("papers")?;
    server.save("clip.json", papers)
}

/// The room ends, Mara takes back what she had said yes to, and the clip with her voice goes.
fn the_morning_after(server: &mut Server) -> Done {
    let [ada, mara] = ["ada", "mara"].map(person);
    server.later(600, "The room ends.");
    server.room.end(ada, server.now)?;
    server.go()?;

    server.later(8 * 3600, "In the morning Mara takes her voice back altogether.");
    let everything = Span { from_sample: SampleTime::ZERO, to_sample: server.now.at };
    let revoked = server.room.revoke(mara, everything, server.now)?;
    let clip = server.go()?.ok_or("the clip is to be deleted")?;

    server.later(1, "Keys destroyed, files gone: both are reported, and proved by the log.");
    server.room.redacted(revoked, sha256(b"the keys of her track"), server.now)?;
    let deleted = server.room.deleted(clip, sha256(b"the clip's key"), None, server.now)?;
    server.go()?;

    let public = Hex(server.key.verifying_key().to_bytes());
    let yes = server.room.entries().iter().find(|entry| {
        let record = server.room.receipt(entry.n, &notice());
        record.is_some_and(|record| {
            (record.data_subject, record.status[0].status.as_str()) == (mara, "dpv:ConsentGiven")
        })
    });
    let yes = yes.ok_or("Mara agreed")?.n;
    server.save("receipt.json", server.room.receipt(yes, &notice()).ok_or("a receipt")?)?;
    server.save("kantara.json", server.room.kantara(yes, &notice(), public).ok_or("a receipt")?)?;
    server.save("deletion.json", server.room.excerpt(deleted).ok_or("a proof")?)?;
    server.save("head.json", server.room.head(server.now.wall))
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

fn refused<T>(answer: Result<T, Refusal>) {
    if let Err(why) = answer {
        println!("  refused: {}", by_name(&why.to_string()));
    }
}

fn notice() -> Notice {
    Notice {
        controller: "Café Central".into(),
        contact: "Ada".into(),
        email: "ada@example.org".into(),
        phone: "+43 1 000".into(),
        address: "Herrengasse 14, Wien".into(),
        policy_url: "https://example.org/privacy".into(),
        withdraw_url: "https://example.org/consent".into(),
        language: "en".into(),
        jurisdiction: "AT".into(),
        storage: vec!["AT".into()],
        recipients: vec![],
        service: "Evenings at the Central".into(),
    }
}

/// What a server does for a room: it keeps the journal, carries out the effects and holds the key.
struct Server {
    room: Room,
    now: Moment,
    journal: File,
    key: SigningKey,
    folder: PathBuf,
}

impl Server {
    fn open(folder: &Path) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        let now = Moment { at: SampleTime::ZERO, wall: UnixMs(1_760_000_000_000) };
        // A server draws its key at random once, and keeps it where keys are kept.
        let key = SigningKey::from_bytes(&[42; 32]);
        let journal = File::create(folder.join("evening.log"))?;
        let room = Room::open(Rules::default(), person("ada"), now);
        Ok(Self { room, now, journal, key, folder: folder.to_owned() })
    }

    fn scene(&self, text: &str) {
        println!("\n{:>6.0} s  {text}", self.now.at.as_ms() / 1000.0);
    }

    fn later(&mut self, seconds: u32, text: &str) {
        self.now.at = SampleTime::from_ms(self.now.at.as_ms() + f64::from(seconds) * 1000.0);
        self.now.wall.0 += u64::from(seconds) * 1000;
        self.room.advance(self.now);
        self.scene(text);
    }

    /// The journal first, then what follows from it. Says what was to be deleted, if something was.
    fn go(&mut self) -> Result<Option<tertulia::room::ItemId>, Box<dyn Error>> {
        let bytes = self.room.unwritten().len();
        self.journal.write_all(self.room.unwritten())?;
        self.journal.sync_data()?;
        self.room.written(bytes);
        let mut deleted = None;
        while let Some(effect) = self.room.poll() {
            match &effect {
                Effect::Open(proof) => println!("  gate of lane {} opens", proof.speaker().0),
                Effect::Close(speaker, _) => println!("  gate of lane {} shuts", speaker.0),
                Effect::Tell(news) => println!("  everybody sees: {}", by_name(&format!("{news:?}"))),
                other => println!("  to do: {}", by_name(&format!("{other:?}"))),
            }
            if let Effect::Delete(item) = effect {
                deleted = Some(item);
            }
        }
        println!("  the dot is {}", if self.room.view().is_red() { "red" } else { "dark" });
        Ok(deleted)
    }

    fn save(&self, name: &str, statement: impl Statement) -> Done {
        Ok(fs::write(self.folder.join(name), Signed::sign(statement, &self.key).to_json())?)
    }
}
