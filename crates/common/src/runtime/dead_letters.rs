//! `dead-letters`: lists, replays and drops what the services of a process could not handle. It may be used while they run.

use std::io::Write as _;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use contracts::ServiceName;
use uuid::Uuid;

use super::{Process, StartError, foundation};
use crate::bus::dead_letters::{DeadLetter, DeadLetters, Fate, Which};
use crate::config::Settings;

/// The command, with its three.
pub(super) fn command() -> Command {
    let list = Command::new("list")
        .about("Show the oldest dead letters of each service, one JSON object a line; bodies are not shown")
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .default_value("100")
                .value_parser(clap::value_parser!(usize))
                .help("At most so many of each service"),
        );
    Command::new("dead-letters")
        .about("List, replay or drop messages that could not be handled (kept for 14 days)")
        .subcommand_required(true)
        .arg(
            Arg::new("service")
                .long("service")
                .value_name("NAME")
                .global(true)
                .help("Only this service's, for example call-orchestrator"),
        )
        .subcommand(list)
        .subcommand(settling("replay", "Give dead letters back to the queue they died in, as if never tried"))
        .subcommand(settling("drop", "Throw dead letters away"))
}

fn settling(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .arg(
            Arg::new("id")
                .value_name("MESSAGE_ID")
                .num_args(0..)
                .value_parser(clap::value_parser!(Uuid))
                .help("Those with these message ids"),
        )
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("All of them"))
        .group(ArgGroup::new("which").args(["id", "all"]).required(true))
}

/// Runs it.
pub(super) async fn run(
    process: Process,
    settings: &Settings,
    matches: &ArgMatches,
) -> Result<(), StartError> {
    let letters = foundation::dead_letters(process, settings)?;
    let Some((name, matches)) = matches.subcommand() else { return Ok(()) };
    for service in services(process, matches)? {
        let failed = |problem: String| StartError::Unwell(format!("dead letters of {service}: {problem}"));
        match name {
            "list" => {
                let limit = matches.get_one("limit").copied().unwrap_or(100);
                for letter in letters.list(service, limit).await.map_err(failed)? {
                    print(&shown(service, &letter)?)?;
                }
            }
            "replay" => print(&settle(&*letters, service, matches, Fate::Replay).await.map_err(failed)?)?,
            _ => print(&settle(&*letters, service, matches, Fate::Drop).await.map_err(failed)?)?,
        }
    }
    Ok(())
}

async fn settle(
    letters: &dyn DeadLetters,
    service: ServiceName,
    matches: &ArgMatches,
    fate: Fate,
) -> Result<serde_json::Value, String> {
    let ids = matches.get_many::<Uuid>("id").unwrap_or_default().copied().collect();
    let which = if matches.get_flag("all") { Which::All } else { Which::Only(ids) };
    let count = letters.settle(service, &which, fate).await?;
    let done = match fate {
        Fate::Replay => "replayed",
        Fate::Drop => "dropped",
    };
    Ok(serde_json::json!({"service": service.as_str(), done: count}))
}

/// The services of the process that can have any, or the one that was named.
fn services(process: Process, matches: &ArgMatches) -> Result<Vec<ServiceName>, StartError> {
    let with_tables = process.services.iter().filter(|def| def.tables.is_some()).map(|def| def.name);
    let Some(named) = matches.get_one::<String>("service") else { return Ok(with_tables.collect()) };
    let known: Vec<&str> = with_tables.clone().map(ServiceName::as_str).collect();
    let one: Vec<ServiceName> = with_tables.filter(|name| name.as_str() == named).collect();
    if one.is_empty() {
        let known = known.join(", ");
        return Err(StartError::Unwell(format!("no service `{named}` in this program; it has {known}")));
    }
    Ok(one)
}

fn shown(service: ServiceName, letter: &DeadLetter) -> Result<serde_json::Value, StartError> {
    let mut shown = serde_json::to_value(letter).map_err(std::io::Error::other)?;
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("service".to_owned(), service.as_str().into());
    }
    Ok(shown)
}

fn print(line: &serde_json::Value) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
