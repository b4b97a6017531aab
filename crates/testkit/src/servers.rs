//! A `PostgreSQL` and a `RabbitMQ` that belong to one test, so that it may kill them. They need the installed programs and a
//! free port, nothing else, and leave nothing behind.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use diesel::Connection as _;
use tempfile::TempDir;

use crate::processes::{Process, Program, free_address};
use crate::wait::eventually;

/// Longer than a server takes to start, or to recover, on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(90);
/// Longer than a server that is up takes to answer, on a busy machine.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A server of this test.
pub struct Server {
    process: Process,
    url: String,
    kind: Kind,
    /// What its own programs are to be told.
    environment: Vec<(String, String)>,
    /// The directory of Erlang nodes, without which no broker starts. Where none runs, a broker starts one that outlives it.
    _directory: Option<Process>,
    _folder: TempDir,
}

#[derive(Clone, Copy)]
enum Kind {
    Postgres,
    RabbitMq,
}

impl Server {
    /// A new, empty `PostgreSQL`.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    pub async fn postgres() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let as_user = unprivileged(folder.path());
        let data = folder.path().join("data").display().to_string();
        let made = run(
            &as_user,
            &[&installed("initdb", "postgresql"), "-D", &data, "-U", "postgres", "-A", "trust"],
        );
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let address = free_address();
        let socket = folder.path().display().to_string();
        let port = address.port().to_string();
        let mut command = as_user;
        command.push(installed("postgres", "postgresql"));
        let arguments = ["-D", &data, "-p", &port, "-k", &socket, "-c", "listen_addresses=127.0.0.1"];
        command.extend(arguments.map(str::to_owned));
        let url = format!("postgres://postgres@{address}/postgres");
        let program = program("postgres", &folder, (command, Vec::new()));
        Self::start(Kind::Postgres, folder, (program, None), url).await
    }

    /// A new, empty `RabbitMQ`.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    pub async fn rabbitmq() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let here = |name: &str| folder.path().join(name).display().to_string();
        let (address, between_nodes, names) = (free_address(), free_address(), free_address());
        let server = installed("rabbitmq-server", "rabbitmq-server");
        let directory = directory_of_nodes(&folder, names).await;
        std::fs::write(here("plugins"), "[].").expect("a file");
        // A file of its own: the machine's may name a port.
        std::fs::write(here("rabbitmq.conf"), format!("listeners.tcp.1 = {address}\n")).expect("a file");
        let environment = [
            ("HOME", here("")),
            ("RABBITMQ_NODENAME", format!("echo{}@localhost", address.port())),
            ("RABBITMQ_CONF_ENV_FILE", here("none")),
            ("RABBITMQ_CONFIG_FILE", here("rabbitmq.conf")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", here("none")),
            ("RABBITMQ_DIST_PORT", between_nodes.port().to_string()),
            ("ERL_EPMD_PORT", names.port().to_string()),
            // Its script then becomes the broker instead of waiting for it: who is to die with the test is the broker.
            ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
            ("RABBITMQ_MNESIA_BASE", here("data")),
            ("RABBITMQ_LOG_BASE", here("logs")),
            ("RABBITMQ_PID_FILE", here("pid")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", here("plugins")),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
        let url = format!("amqp://guest:guest@{address}/%2f");
        let program = program("rabbitmq", &folder, (vec![server], environment));
        Self::start(Kind::RabbitMq, folder, (program, Some(directory)), url).await
    }

    async fn start(
        kind: Kind,
        folder: TempDir,
        (program, directory): (Program, Option<Process>),
        url: String,
    ) -> Self {
        let environment = program.environment.clone();
        let process = Process::start(program);
        let mut server = Self { process, url, kind, environment, _directory: directory, _folder: folder };
        server.ready().await;
        server
    }

    /// How to reach it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `kill -9` for the broker; what `pg_ctl -m immediate stop` does for the tables: no goodbye to anybody.
    pub async fn kill(&mut self) {
        match self.kind {
            Kind::Postgres => drop(self.process.stop("QUIT").await),
            Kind::RabbitMq => self.process.kill(),
        }
    }

    /// Starts it again with what it had written down, and waits until it answers.
    pub async fn start_again(&mut self) {
        self.process.start_again();
        self.ready().await;
    }

    /// Makes the broker believe that it has no memory left, or that it has again: with no memory left it takes no messages.
    ///
    /// # Panics
    /// When it does not obey.
    pub async fn alarm(&self, raised: bool) {
        let mut command = tokio::process::Command::new(installed("rabbitmqctl", "rabbitmq-server"));
        command.args(["set_vm_memory_high_watermark", if raised { "0" } else { "0.6" }]);
        let told = command.envs(self.environment.iter().map(|(name, value)| (name, value))).output().await;
        let told = told.expect("rabbitmqctl can be run");
        assert!(told.status.success(), "rabbitmqctl: {}", String::from_utf8_lossy(&told.stderr));
    }

    async fn ready(&mut self) {
        let (kind, url, process) = (self.kind, self.url.clone(), &mut self.process);
        eventually("the server to answer", STARTS_WITHIN, || {
            let (ended, log) = (process.ended(), process.log_end());
            assert!(ended.is_none(), "the server ended ({ended:?}):\n{log}");
            let url = url.clone();
            async move {
                let answer = match kind {
                    Kind::Postgres => postgres_answers(url).await,
                    Kind::RabbitMq => rabbitmq_answers(&url).await,
                };
                answer.map_err(|e| format!("{e}\n{log}"))
            }
        })
        .await;
    }
}

fn program(
    name: &str,
    folder: &TempDir,
    (command, environment): (Vec<String>, Vec<(String, String)>),
) -> Program {
    let log = folder.path().join(format!("{name}.log"));
    Program { name: name.to_owned(), command, environment, log }
}

async fn directory_of_nodes(folder: &TempDir, address: SocketAddr) -> Process {
    let command = vec![installed("epmd", "rabbitmq-server"), "-port".to_owned(), address.port().to_string()];
    let process = Process::start(program("epmd", folder, (command, Vec::new())));
    eventually("the directory of nodes", STARTS_WITHIN, || async { TcpStream::connect(address).map(drop) })
        .await;
    process
}

async fn postgres_answers(url: String) -> Result<(), String> {
    let asked = tokio::task::spawn_blocking(move || diesel::PgConnection::establish(&url).map(drop)).await;
    asked.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
}

async fn rabbitmq_answers(url: &str) -> Result<(), String> {
    let asked = async {
        let connection = lapin::Connection::connect(url, lapin::ConnectionProperties::default()).await?;
        connection.close(200, "bye".into()).await
    };
    // The client may wait for ever for a broker that is just starting.
    let answer = tokio::time::timeout(ANSWERS_WITHIN, asked).await.map_err(|e| e.to_string())?;
    answer.map_err(|e| e.to_string())
}

/// `PostgreSQL` refuses to run as root: then the folder is given to its user, and its programs are started as that user.
fn unprivileged(folder: &Path) -> Vec<String> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !root {
        return Vec::new();
    }
    let given = run(&[], &["chown", "postgres", &folder.display().to_string()]);
    let why = String::from_utf8_lossy(&given.stderr);
    assert!(given.status.success(), "started by root, PostgreSQL runs as its own user, postgres: {why}");
    // A process forgets with whom it is to die when it becomes another user.
    let become_it = ["setpriv", "--pdeathsig=KILL", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
    become_it.map(str::to_owned).into()
}

fn run(prefix: &[String], command: &[&str]) -> std::process::Output {
    let words: Vec<&str> = prefix.iter().map(String::as_str).chain(command.iter().copied()).collect();
    let (executable, arguments) = words.split_first().expect("a command");
    let output = Command::new(executable).args(arguments).output();
    output.unwrap_or_else(|e| panic!("{executable} cannot be run: {e}"))
}

/// The path of a server's program. Debian keeps these out of `PATH`, or puts a wrapper there that insists on a user.
fn installed(program: &str, package: &str) -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    // The newest first.
    folders.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let others = ["/usr/lib/rabbitmq/bin", "/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"];
    folders.extend(others.map(PathBuf::from));
    let found = folders.into_iter().map(|folder| folder.join(program)).find(|path| path.exists());
    found.map_or_else(
        || {
            panic!(
                "this test kills a server of its own and needs `{program}` for it: apt-get install {package}"
            )
        },
        |path| path.display().to_string(),
    )
}

/// The number in `/usr/lib/postgresql/<version>/bin`.
fn version(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).and_then(std::ffi::OsStr::to_str);
    name.and_then(|name| name.split('.').next()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "needs `echod` for it: apt-get install echo-server")]
    fn a_server_that_is_not_installed_is_asked_for_by_its_package() {
        installed("echod", "echo-server");
    }

    #[test]
    fn the_newest_server_is_the_one_with_the_highest_number() {
        let folder = |version: &str| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
        assert_eq!(["9.6", "15", "x"].map(|name| version(&folder(name))), [9, 15, 0]);
    }
}
