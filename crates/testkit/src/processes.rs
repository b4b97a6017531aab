//! Programs of the workspace, and servers, as processes of one test: started with an environment of their own, killed without
//! warning, started again. They end with the test, however it ends.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::wait::eventually;

/// Longer than a program takes to start on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// Where the tools of servers are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// For messages, and for the name of the log.
    pub name: String,
    /// The executable and its arguments.
    pub command: Vec<String>,
    /// The whole environment, beside `PATH`.
    pub environment: Vec<(String, String)>,
    /// Where standard output and error go; what was there stays.
    pub log: PathBuf,
}

impl Program {
    /// A program of the workspace that serves, with its log in `folder`. A dot and what follows in the name tells replicas
    /// apart.
    ///
    /// # Panics
    /// When it has not been built.
    #[must_use]
    pub fn serving(name: &str, environment: Vec<(String, String)>, folder: &Folder) -> Self {
        let executable = name.split('.').next().unwrap_or(name);
        Self {
            name: name.to_owned(),
            command: vec![binary(executable).display().to_string(), "serve".to_owned()],
            environment,
            log: folder.path().join(format!("{name}.log")),
        }
    }
}

/// A folder for processes and their logs. It stays when the test fails.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// A new one.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes something on the disk")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Folder {
    #[expect(
        clippy::print_stdout,
        reason = "whoever reads the output of a failed test looks for the logs next"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.disable_cleanup(true);
            println!("the logs of the processes are in {}", self.0.path().display());
        }
    }
}

/// A process that was started, and may have been killed since.
pub struct Process {
    program: Program,
    child: Option<Child>,
}

impl Process {
    /// Starts it.
    ///
    /// # Panics
    /// When the executable cannot be run.
    #[must_use]
    pub fn start(program: Program) -> Self {
        let mut process = Self { program, child: None };
        process.start_again();
        process
    }

    /// Starts it again after it has ended.
    ///
    /// # Panics
    /// When it runs, or cannot be run.
    pub fn start_again(&mut self) {
        let program = &self.program;
        assert!(self.child.is_none(), "{} runs already", program.name);
        let log = || OpenOptions::new().create(true).append(true).open(&program.log).expect("a log");
        let executable = program.command.first().expect("an executable");
        // A test that is killed cannot clean up: the kernel does, as soon as this thread is gone.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(&program.command)
            .env_clear()
            .env("PATH", PATH)
            .envs(program.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            // A group of its own: what it starts itself goes with it, and nothing else does.
            .process_group(0)
            .spawn();
        self.child = Some(child.unwrap_or_else(|e| panic!("{executable} cannot be started: {e}")));
    }

    /// Waits until `GET /readyz` at `operations` says yes.
    ///
    /// # Panics
    /// When it ends instead, or takes too long; with the end of its log.
    pub async fn ready(&mut self, operations: SocketAddr) {
        let url = format!("http://{operations}/readyz");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let until = std::time::Instant::now() + STARTS_WITHIN;
        loop {
            if let Ok(answer) = http.get(&url).timeout(Duration::from_secs(5)).send().await
                && answer.status().is_success()
            {
                return;
            }
            let ended = self.ended();
            assert!(ended.is_none(), "{} ended ({ended:?}):\n{}", self.program.name, self.log_end());
            let late = std::time::Instant::now() > until;
            assert!(!late, "{} is not ready at {url}:\n{}", self.program.name, self.log_end());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The number of the running process; none when it was killed.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// How it ended by itself, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// `kill -9`, for the process and everything that it started; gone when this returns.
    pub fn kill(&mut self) {
        self.signal("KILL");
        if let Some(mut child) = self.child.take() {
            // Both fail only for a process that is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal such as `TERM` and waits for the end.
    ///
    /// # Panics
    /// When it takes longer than a minute, with the end of its log.
    pub async fn stop(&mut self, signal: &str) -> ExitStatus {
        self.signal_leader(signal);
        let name = self.program.name.clone();
        let status = eventually(&format!("{name} to stop"), STARTS_WITHIN, || {
            let ended = self.ended().ok_or_else(|| self.log_end());
            async move { ended }
        })
        .await;
        self.kill(); // what it may have left behind
        status
    }

    /// Whether the other end of a connection to us, `port`, is this process.
    ///
    /// # Panics
    /// When the kernel does not tell.
    #[must_use]
    pub fn has_port(&self, port: u16) -> bool {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of connections");
        let wanted = format!(":{port:04X}");
        let inodes = table.lines().skip(1).filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields.get(1).is_some_and(|local| local.ends_with(&wanted)).then(|| fields.get(9).copied())?
        });
        let sockets: Vec<String> = inodes.map(|inode| format!("socket:[{inode}]")).collect();
        let Some(id) = self.id() else { return false };
        let Ok(files) = std::fs::read_dir(format!("/proc/{id}/fd")) else { return false };
        files
            .flatten()
            .filter_map(|file| std::fs::read_link(file.path()).ok())
            .any(|target| target.to_str().is_some_and(|target| sockets.iter().any(|socket| socket == target)))
    }

    /// The end of its log.
    #[must_use]
    pub fn log_end(&self) -> String {
        end_of(&self.program.log).unwrap_or_default()
    }

    fn signal(&self, signal: &str) {
        if let Some(id) = self.id() {
            send(signal, &format!("-{id}"));
        }
    }

    fn signal_leader(&self, signal: &str) {
        if let Some(id) = self.id() {
            send(signal, &id.to_string());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A group that is gone cannot be signalled, which is as well.
fn send(signal: &str, to: &str) {
    let kill = Command::new("kill").args(["-s", signal, "--", to]).stderr(Stdio::null()).status();
    kill.expect("the command kill");
}

fn end_of(log: &Path) -> std::io::Result<String> {
    const MOST: u64 = 4_000;
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A program of the workspace, beside the running test.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: `make test` builds the programs first", path.display());
    path
}

/// Ports that this test has been given.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// An address on this machine that nobody uses, and that is given only once: whoever has been given it may not listen yet. It
/// is not among those from which the system takes the near ends of connections, so that it is still free when a killed
/// process starts again.
///
/// # Panics
/// When all are taken.
#[must_use]
pub fn free_address() -> SocketAddr {
    // The last bytes of such an id are random.
    let [.., high, low] = uuid::Uuid::now_v7().into_bytes();
    let first = u32::from(u16::from_be_bytes([high, low]));
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let candidates = (0..2_000).filter_map(|n| u16::try_from(10_000 + (first + n * 7) % 20_000).ok());
    let mut free = candidates
        .filter(|port| !given.contains(port))
        .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let port = free.next().expect("a free port");
    given.insert(port);
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(folder: &tempfile::TempDir, script: &str) -> Program {
        Program {
            name: "a shell".to_owned(),
            command: ["/bin/sh", "-c", script].map(str::to_owned).into(),
            environment: Vec::new(),
            log: folder.path().join("log"),
        }
    }

    fn lives(id: u32) -> bool {
        Path::new(&format!("/proc/{id}")).exists()
    }

    #[test]
    fn no_address_is_given_twice() {
        let given: BTreeSet<_> = (0..300).map(|_| free_address()).collect();
        assert_eq!(given.len(), 300);
    }

    #[tokio::test]
    async fn a_killed_process_is_gone_with_what_it_started_and_can_be_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(shell(&folder, "sleep 600 & echo $!; wait"));
        let inner = eventually("the inner process", STARTS_WITHIN, || async {
            process.log_end().trim().parse::<u32>().map_err(|e| e.to_string())
        })
        .await;
        let first = process.id().unwrap();
        assert!(lives(first) && lives(inner));
        process.kill();
        eventually("both to be gone", STARTS_WITHIN, || async {
            if lives(first) || is_running(inner) { Err((first, inner)) } else { Ok(()) }
        })
        .await;
        assert_eq!(process.id(), None);
        process.start_again();
        assert_ne!(process.id(), Some(first));
    }

    /// Somebody else's child stays in the table until it is asked for.
    fn is_running(id: u32) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        lives(id) && !state.contains(") Z ")
    }

    #[tokio::test]
    async fn a_process_that_is_told_to_stop_says_how_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap 'exit 7' TERM; echo waiting; while :; do sleep 0.01; done";
        let mut process = Process::start(shell(&folder, script));
        eventually("it to wait", STARTS_WITHIN, || async {
            if process.log_end().contains("waiting") { Ok(()) } else { Err(process.log_end()) }
        })
        .await;
        assert_eq!(process.stop("TERM").await.code(), Some(7));
    }

    #[tokio::test]
    async fn the_owner_of_a_connection_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; exec sleep 600");
        let mut program = shell(&folder, &script);
        program.command[0] = "/bin/bash".to_owned();
        let caller = Process::start(program);
        let other = Process::start(shell(&folder, "exec sleep 600"));
        let (_stream, peer) = listener.accept().unwrap();
        assert!(caller.has_port(peer.port()));
        assert!(!other.has_port(peer.port()));
    }
}
