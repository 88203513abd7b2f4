//! A mixing server for Opus over plain RTP and UDP; see `--help`. Threads: this one looks after the house, one receives,
//! one sends, one may answer Prometheus, and the stage has its own.

mod alert;
mod args;
mod house;
mod metrics;
mod mix;
mod network;
mod priority;
mod report;

use args::Args;
use house::{Figures, House};
use network::lock;
use report::Reporter;
use std::{
    error::Error,
    io::Write,
    net::{SocketAddr, TcpListener, UdpSocket},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};
use tertulia::time::{SampleTime, Samples};

fn main() -> ExitCode {
    let args = match Args::parse() {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(line) => {
            eprintln!("rtp_room: {line}");
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rtp_room: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind(args.bind).map_err(|error| format!("--bind {}: {error}", args.bind))?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let figures = args.metrics.map(serve_figures_at).transpose()?;
    let (house, listeners) = House::open(args)?;
    let (house, done) = (Mutex::new(house), AtomicBool::new(false));
    let (routes, new_routes) = mpsc::channel();
    routes.send((listeners, args.listeners.clone()))?;
    let (interrupt, interrupted) = mpsc::channel();
    ctrlc::set_handler(move || {
        // A second Ctrl-C while the first is being obeyed has nobody left to tell.
        let _ = interrupt.send(());
    })?;
    let (socket, shared, over) = (&socket, &house, &done);
    thread::scope(|threads| {
        threads.spawn(move || network::send(socket, &new_routes));
        threads.spawn(move || network::receive(socket, shared, routes, args.payload_type, over));
        if let Some(dir) = args.record.as_ref().filter(|_| args.mix) {
            threads.spawn(|| mix::follow(dir, args.bitrate_bps, over));
        }
        if let Some(figures) = &figures {
            threads.spawn(move || metrics::serve(figures, shared, over));
        }
        let ended = announce(socket, shared).and_then(|()| look_after(shared, args, &interrupted));
        done.store(true, Relaxed);
        ended
    })
}

fn serve_figures_at(at: SocketAddr) -> Result<TcpListener, Box<dyn Error>> {
    let figures = TcpListener::bind(at).map_err(|error| format!("--metrics {at}: {error}"))?;
    eprintln!("figures at http://{}/metrics", figures.local_addr()?);
    Ok(figures)
}

/// Says that the room is there once its clock is past the longest packet: what the first one who comes says then lies
/// wholly behind room sample 0.
fn announce(socket: &UdpSocket, house: &Mutex<House>) -> Result<(), Box<dyn Error>> {
    while lock(house).now() < SampleTime::from_ms(120.0) {
        thread::park_timeout(LOOK / 10);
    }
    println!("listening {}", socket.local_addr()?);
    Ok(std::io::stdout().flush()?)
}

/// Looks after the house until it is time to close, then closes it.
fn look_after(house: &Mutex<House>, args: &Args, interrupted: &Receiver<()>) -> Result<(), Box<dyn Error>> {
    let mut reporter = Reporter::new(args.record.is_some());
    let mut measured = lock(house).now();
    while interrupted.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let mut house = lock(house);
        house.look_after();
        let now = house.now();
        if args.seconds.is_some_and(|seconds| now.as_ms() >= seconds * 1e3) {
            break;
        }
        if now.since(measured) >= Samples::from_ms(1000) {
            measured = now;
            house.measure();
        }
        if let (Some(figures), Some(file)) = (house.figures(), &args.stats) {
            drop(house);
            reporter.report(file, &figures, None);
        }
    }
    close(&mut lock(house), args, &mut reporter)
}

fn close(house: &mut House, args: &Args, reporter: &mut Reporter) -> Result<(), Box<dyn Error>> {
    let figures = last_figures(house).ok_or("the stage did not answer")?;
    let session = house.finish()?;
    if let Some(file) = &args.stats {
        reporter.report(file, &figures, session.as_ref());
    }
    report::print_summary(&figures, session.as_ref());
    Ok(())
}

fn last_figures(house: &mut House) -> Option<Figures> {
    house.measure();
    (0..300).find_map(|_| {
        thread::park_timeout(LOOK / 10);
        house.look_after();
        house.figures()
    })
}

/// How often the house is looked after.
const LOOK: Duration = Duration::from_millis(100);
