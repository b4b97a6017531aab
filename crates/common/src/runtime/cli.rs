//! The command line that every binary has: `serve` (default), `migrate`, `dead-letters`, `--config`, `--print-config`, `--check-health`; and
//! how a binary adds a command of its own.

use std::io::Write as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::dead_letters;
use super::{Process, StartError, migrate_only, rehearse, start};
use crate::clock::Clock;
use crate::config::{ConfigError, Settings};
use crate::telemetry;

/// A command beside the usual ones.
#[derive(Clone, Copy)]
pub struct ExtraCommand {
    /// What is typed.
    pub name: &'static str,
    /// One sentence for `--help`.
    pub about: &'static str,
    /// What its own `--help` says more; empty for nothing.
    pub help: &'static str,
    /// What it does. Logging has not been started.
    pub run: fn(Process, Settings) -> CommandRuns,
}

/// A command that runs.
pub type CommandRuns = Pin<Box<dyn Future<Output = Result<(), StartError>>>>;

const EXIT_CODES: &str = "Exit codes: 0 after an ordered stop, 1 after a failure, 2 for a setting that is wrong, \
3 when the tables cannot be reached or brought up to date, 4 when the broker cannot be reached, 5 when an address is taken.";

/// A command line in the making.
#[derive(Clone, Copy)]
pub struct Cli {
    process: Process,
    prepare: fn(&mut Settings) -> Result<(), ConfigError>,
    extra: &'static [ExtraCommand],
}

/// Runs a process until it is told to stop. The exit code tells the truth: 0 after an ordered stop, else
/// [`StartError::code`].
#[must_use]
pub fn main(process: Process) -> ExitCode {
    Cli::new(process).main()
}

impl Cli {
    /// The usual commands.
    #[must_use]
    pub const fn new(process: Process) -> Self {
        Self { process, prepare: |_| Ok(()), extra: &[] }
    }

    /// Completes the settings before anything reads them.
    #[must_use]
    pub const fn prepare(self, prepare: fn(&mut Settings) -> Result<(), ConfigError>) -> Self {
        Self { prepare, ..self }
    }

    /// Adds commands.
    #[must_use]
    pub const fn commands(self, extra: &'static [ExtraCommand]) -> Self {
        Self { extra, ..self }
    }

    /// As [`main`].
    #[must_use]
    pub fn main(self) -> ExitCode {
        let matches = command(&self).get_matches();
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(e) => return fail(&format!("the async runtime cannot start: {e}"), 1),
        };
        let result = runtime.block_on(run(&self, &matches));
        runtime.shutdown_timeout(Duration::from_secs(5));
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => fail(&e.to_string(), e.code()),
        }
    }
}

fn fail(problem: &str, code: u8) -> ExitCode {
    say(&format!("echo: {problem}"));
    ExitCode::from(code)
}

/// Speaks to the person who started the program; logging may not have started.
fn say(text: &str) {
    // Nowhere to complain to when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn command(cli: &Cli) -> Command {
    let command = Command::new(cli.process.name)
        .about(cli.process.about)
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(EXIT_CODES)
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .help("TOML file of settings (ECHO_NAME = value)")
                .global(true),
        )
        .arg(
            Arg::new("print-config")
                .long("print-config")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Print the merged settings, secrets masked, and exit without starting anything"),
        )
        .arg(
            Arg::new("check-health")
                .long("check-health")
                .action(ArgAction::SetTrue)
                .help("Ask the running process at ECHO_OPS_ADDR whether it is ready, and exit"),
        )
        .subcommand(Command::new("serve").about("Bring the tables up to date and serve (the default)"))
        .subcommand(Command::new("migrate").about("Only bring the tables up to date"))
        .subcommand(dead_letters::command());
    cli.extra.iter().fold(command, |command, extra| {
        command.subcommand(Command::new(extra.name).about(extra.about).after_help(extra.help))
    })
}

async fn run(cli: &Cli, matches: &ArgMatches) -> Result<(), StartError> {
    let process = cli.process;
    let file: Option<PathBuf> = matches.get_one::<String>("config").map(PathBuf::from);
    let mut settings = Settings::load(file.as_deref())?;
    if matches.get_flag("check-health") {
        return check_health(&settings).await;
    }
    if matches.get_flag("print-config") {
        return print_config(cli, settings.rehearsing());
    }
    if let Some(("dead-letters", matches)) = matches.subcommand() {
        return dead_letters::run(process, &settings, matches).await;
    }
    (cli.prepare)(&mut settings)?;
    let wanted = matches.subcommand_name();
    if let Some(extra) = cli.extra.iter().find(|extra| Some(extra.name) == wanted) {
        return (extra.run)(process, settings).await;
    }
    telemetry::start(&settings)?;
    if wanted == Some("migrate") {
        return migrate_only(process, settings).await;
    }
    let running = start(process, settings, Clock::system()).await?;
    tracing::info!(process = process.name, version = env!("CARGO_PKG_VERSION"), "ready");
    until_told_to_stop().await?;
    tracing::info!("stopping");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

fn print_config(cli: &Cli, mut settings: Settings) -> Result<(), StartError> {
    (cli.prepare)(&mut settings)?;
    let (text, problem) = rehearse(cli.process, &settings);
    std::io::stdout().write_all(text.as_bytes())?;
    problem.map_or(Ok(()), |problem| Err(problem.into()))
}

/// Resolves when the process is asked to end (Ctrl-C, or the signal of a supervisor).
///
/// # Errors
/// When the operating system does not tell.
pub async fn until_told_to_stop() -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn check_health(settings: &Settings) -> Result<(), StartError> {
    let address = settings.get("ECHO_OPS_ADDR", "127.0.0.1:9080".to_owned())?;
    let answer = reqwest::Client::new()
        .get(format!("http://{address}/readyz"))
        .timeout(Duration::from_secs(5))
        .send()
        .await
        .map_err(|e| StartError::Unwell(format!("nobody answers at {address} (ECHO_OPS_ADDR): {e}")))?;
    if answer.status().is_success() {
        return Ok(());
    }
    let text = answer.text().await.unwrap_or_default();
    Err(StartError::Unwell(format!("not ready: {text}")))
}
