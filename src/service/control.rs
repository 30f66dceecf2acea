//! The command socket: how `hotline reload`, `hotline close` and their like reach a running house.
//!
//! A Unix socket in the state folder, for its owner only: whoever may write there may order. One
//! line of JSON asks, one line answers, and the connection ends.

use std::fs::{self, File, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// The socket's name in the state folder.
const NAME: &str = "hotline.sock";

/// An order is a line of text.
const REQUEST_MAX: u64 = 16 * 1024;

/// How long someone may take to say what they want.
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);

/// How long a running house may take to answer: a reload reads and judges every recording.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);

/// What may be asked of a running house. Names and times are as people write them; the house knows
/// its plan and its time zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "ask")]
pub enum Request {
    Reload { close_now: bool },
    Close { line: Option<String>, until: String, message: Option<String> },
    Open { line: Option<String>, until: String },
    Automatic { line: Option<String> },
    Pause { listener: String },
    ComeBack { listener: String },
    Status,
}

/// What the house says to it, for people.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Answer {
    pub done: bool,
    pub text: String,
}

/// Why a running house could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    #[error("no house is running with the state folder `{}`", .0.display())]
    NotRunning(PathBuf),
    #[error("the house with the state folder `{}` belongs to somebody else: ask as its owner", .0.display())]
    NotAllowed(PathBuf),
    #[error("the house does not answer: {0}")]
    Silent(#[from] io::Error),
}

/// The listening end.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Opens the socket. The caller holds the lock of the state folder, so what lies there under its
    /// name was left by a house that is gone.
    pub fn open(state: &Path, runtime: &Handle) -> io::Result<Self> {
        let path = state.join(NAME);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let _entered = runtime.enter();
        let listener = through_handle(state, |short| UnixListener::bind(short))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Answers orders for ever, one after the other: they are few.
    pub async fn serve<F>(self, answer: impl Fn(Request) -> F)
    where
        F: Future<Output = Answer>,
    {
        let mut order = Vec::new();
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            order.clear();
            let (reading, mut writing) = stream.split();
            let mut reading = tokio::io::BufReader::new(reading.take(REQUEST_MAX));
            let read = timeout(REQUEST_PATIENCE, reading.read_until(b'\n', &mut order)).await;
            if !matches!(read, Ok(Ok(length)) if length > 0) {
                continue;
            }
            let said = match serde_json::from_slice::<Request>(&order) {
                Ok(request) => answer(request).await,
                Err(error) => Answer { done: false, text: format!("not an order: {error}") },
            };
            if let Ok(mut line) = serde_json::to_vec(&said) {
                line.push(b'\n');
                // Whoever asked may have gone.
                let _ = timeout(REQUEST_PATIENCE, writing.write_all(&line)).await;
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Asks the house that runs with this state folder.
pub fn ask(state: &Path, request: &Request) -> Result<Answer, NotAsked> {
    let mut stream =
        through_handle(state, |short| UnixStream::connect(short)).map_err(|error| {
            let kind = error.kind();
            if matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) {
                NotAsked::NotRunning(state.to_owned())
            } else if kind == io::ErrorKind::PermissionDenied {
                NotAsked::NotAllowed(state.to_owned())
            } else {
                NotAsked::Silent(error)
            }
        })?;
    stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
    let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut said = String::new();
    BufReader::new(stream).read_line(&mut said)?;
    Ok(serde_json::from_str(&said).map_err(io::Error::from)?)
}

/// Names the socket by an open handle on its folder: a socket's path is at most 107 bytes long, a
/// state folder's may be longer.
fn through_handle<T>(state: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let folder = File::open(state)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()));
    act(&short)
}
