//! Makes a bundle of a recording that editors and waveform players open:
//!
//! ```text
//! cargo run --release --example export -- recording --out bundle
//! ```

mod bundle;
mod cli;
mod clip;
mod labels;
mod otio;
mod overview;
mod reaper;
#[path = "../simulate/sheet.rs"]
mod sheet;
mod turns;

use cli::Call;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match cli::parse(lexopt::Parser::from_env()) {
        Ok(Call::Help) => {
            print!("{}", cli::HELP);
            Ok(())
        }
        Ok(Call::Export(arguments)) => bundle::make(&arguments).map(|summary| print!("{summary}")),
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("export: {error}");
            ExitCode::FAILURE
        }
    }
}
