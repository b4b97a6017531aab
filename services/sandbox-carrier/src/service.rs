//! The carrier as a service of a process: its settings, its listener, its worker.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::config::{ConfigError, Settings};
use common::platform::Platform;
use common::service::{Mount, Service, ServiceDef, Task};
use contracts::ServiceName;

use crate::domain::number::is_e164;
use crate::{Carrier, CarrierConfig, People, Speed};

/// The sandbox carrier, for a process to run.
pub const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::SandboxCarrier,
    tables: None,
    listens: &[("ECHO_SANDBOX_ADDR", "127.0.0.1:8089")],
    build,
};

fn build(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let carrier = Carrier::new(config(settings)?);
    let mounted = carrier.clone();
    let routes = move |routes: &mut actix_web::web::ServiceConfig| mounted.mount(routes);
    Ok(Service {
        mounts: vec![Mount { listener: "ECHO_SANDBOX_ADDR", routes: Arc::new(routes) }],
        tasks: vec![Task::background("play calls", &carrier, |carrier: Carrier, stop| async move {
            carrier.run(stop).await;
        })],
        ..Service::default()
    })
}

/// The further numbers, so that several projects can have one each.
const MORE_NUMBERS: &str = "+15005550010,+15005550011,+15005550012,+15005550013,+15005550014,+15005550015,\
                            +15005550016,+15005550017,+15005550018,+15005550019";

fn more_numbers(settings: &Settings) -> Result<Vec<String>, ConfigError> {
    let name = "ECHO_SANDBOX_MORE_NUMBERS";
    let text = settings.get(name, MORE_NUMBERS.to_owned())?;
    let numbers = text.split(',').map(str::trim).filter(|number| !number.is_empty());
    numbers
        .map(|number| match is_e164(number) {
            true => Ok(number.to_owned()),
            false => {
                Err(ConfigError::new(name, format!("`{number}`: a number in E.164, such as +15005550010")))
            }
        })
        .collect()
}

/// Where people of one's own are described.
const PEOPLE: &str = "ECHO_SANDBOX_PEOPLE";

/// The people who come with the program, and those of the folder, a file each. These take their numbers from those.
fn people(folder: Option<&Path>) -> Result<People, ConfigError> {
    // They come with the program: no setting is to blame.
    let builtin = People::builtin().map_err(|e| ConfigError::new("the built-in people", e.to_string()))?;
    let Some(folder) = folder else { return Ok(builtin) };
    let bad =
        |at: &Path, e: &dyn std::fmt::Display| ConfigError::new(PEOPLE, format!("{}: {e}", at.display()));
    let entries = std::fs::read_dir(folder).map_err(|e| bad(folder, &e))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(|e| bad(folder, &e)))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"));
    files.sort();
    files.iter().try_fold(builtin, |people, file| {
        let yaml = std::fs::read_to_string(file).map_err(|e| bad(file, &e))?;
        people.with_yaml(&yaml).map_err(|e| bad(file, &e))
    })
}

fn config(settings: &Settings) -> Result<CarrierConfig, ConfigError> {
    let addr = settings.get("ECHO_SANDBOX_ADDR", "127.0.0.1:8089".to_owned())?;
    let url = settings.get("ECHO_SANDBOX_URL", format!("http://{addr}"))?;
    let sid: Option<String> = settings.optional("ECHO_SANDBOX_ACCOUNT_SID")?;
    let missing =
        |name| ConfigError::new(name, "required: whoever starts the sandbox carrier makes up its account");
    let sid = sid.ok_or_else(|| missing("ECHO_SANDBOX_ACCOUNT_SID"))?;
    let token =
        settings.secret("ECHO_SANDBOX_AUTH_TOKEN").ok_or_else(|| missing("ECHO_SANDBOX_AUTH_TOKEN"))?;
    let speed: f64 = settings.get("ECHO_SANDBOX_SPEED", 1.0)?;
    let bad = |name, e: &dyn std::fmt::Display| ConfigError::new(name, e.to_string());
    Ok(CarrierConfig {
        addr: addr.parse().map_err(|e| bad("ECHO_SANDBOX_ADDR", &e))?,
        base_url: url.parse().map_err(|e| bad("ECHO_SANDBOX_URL", &e))?,
        account_sid: sid.parse().map_err(|e| bad("ECHO_SANDBOX_ACCOUNT_SID", &e))?,
        auth_token: token.reveal().to_owned(),
        api_keys: Vec::new(),
        number: settings.get("ECHO_SANDBOX_NUMBER", "+15005550006".to_owned())?,
        more_numbers: more_numbers(settings)?,
        speed: Speed::try_from(speed).map_err(|e| bad("ECHO_SANDBOX_SPEED", &e))?,
        people: people(settings.optional::<String>(PEOPLE)?.as_deref().map(Path::new))?,
        calls_per_second: settings.optional::<NonZeroU32>("ECHO_SANDBOX_CALLS_PER_SECOND")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_numbers_are_a_list_of_numbers() {
        let with = |numbers| more_numbers(&Settings::from_pairs([("ECHO_SANDBOX_MORE_NUMBERS", numbers)]));
        assert_eq!(with("+15005550010, +15005550011").unwrap(), ["+15005550010", "+15005550011"]);
        assert_eq!(with(",").unwrap(), Vec::<String>::new());
        assert!(with("+15005550010,5005550011").is_err());
        assert_eq!(more_numbers(&Settings::from_pairs([("", "")])).unwrap().len(), 10);
    }

    #[test]
    fn people_of_ones_own_stand_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mine = "{name: mine, about: test, numbers: ['+14155552671', '+4930123456'], answer: busy}";
        std::fs::write(at("mine.yaml"), mine).unwrap();
        std::fs::write(at("notes.txt"), "no person").unwrap();
        let book = people(Some(folder.path())).unwrap();
        for number in ["+14155552671", "+4930123456"] {
            assert_eq!(book.at(number).name, "mine", "{number}");
        }
        std::fs::write(at("worse.yml"), "{name: worse, mood: bad}").unwrap();
        let error = people(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("worse.yml") && error.contains(PEOPLE), "{error}");
        let error = people(Some(&at("nowhere"))).unwrap_err().to_string();
        assert!(error.contains("nowhere"), "{error}");
    }

    #[test]
    fn the_page_of_this_service_lists_every_setting_that_is_read() {
        let page = include_str!("../README.md");
        let account = [
            ("ECHO_SANDBOX_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
            ("ECHO_SANDBOX_AUTH_TOKEN", "a token"),
        ];
        let settings = Settings::from_pairs(account);
        assert!(config(&settings).is_ok());
        for line in settings.printed().lines() {
            let (name, _) = line.split_once(" = ").unwrap();
            assert!(page.contains(&format!("`{name}`")), "{name} is missing");
        }
    }
}
