//! Whether a worker works, for whoever restarts it: one small HTTP server.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a client may take to ask.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long after its last look a worker passes for alive, at least.
const SHORTEST: Duration = Duration::from_mins(1);

/// What a worker's health endpoint answers.
///
/// `/healthz` is 200 while looks end in time, else 503: restart it. `/readyz` is 200 while every
/// target answers, else 503. Every other path is 404.
#[derive(Debug)]
pub struct Health {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    begun: Instant,
    /// When the last look ended, in milliseconds after the begin.
    looked: AtomicU64,
    is_well: AtomicBool,
    /// How long a look may take with the pause before it.
    limit: Duration,
}

impl Health {
    /// Listens on an address such as `127.0.0.1:8080`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn listen(address: &str, poll: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let state = Arc::new(State {
            begun: Instant::now(),
            looked: AtomicU64::new(0),
            is_well: AtomicBool::new(false),
            limit: super::LONGEST_PAUSE.max(poll) + SHORTEST,
        });
        let health = Self {
            address: listener.local_addr()?,
            state: Arc::clone(&state),
        };
        thread::Builder::new()
            .name("windlass-health".to_owned())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    // Whoever asked has gone; nobody else is concerned.
                    let _answered = answer(stream, &state);
                }
            })?;
        Ok(health)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes note of a look that has ended.
    pub fn note(&self, is_well: bool) {
        let now = u64::try_from(self.state.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.state.looked.store(now, Ordering::Relaxed);
        self.state.is_well.store(is_well, Ordering::Relaxed);
    }
}

impl State {
    fn is_alive(&self) -> bool {
        let looked = Duration::from_millis(self.looked.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(looked) < self.limit
    }

    fn answer(&self, path: &str) -> (&'static str, &'static str) {
        match path {
            "/healthz" if self.is_alive() => ("200 OK", "ok\n"),
            "/healthz" => (
                "503 Service Unavailable",
                "the last look did not end in time\n",
            ),
            "/readyz" if self.is_well.load(Ordering::Relaxed) => ("200 OK", "ok\n"),
            "/readyz" => ("503 Service Unavailable", "a target does not answer\n"),
            _ => ("404 Not Found", "expected /healthz or /readyz\n"),
        }
    }
}

fn answer(mut stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(io::Read::take(stream.try_clone()?, 8 << 10));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, body) = state.answer(path.split('?').next().unwrap_or_default());
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn it_tells_alive_from_well() {
        let health = Health::listen("127.0.0.1:0", Duration::from_secs(1)).expect("a port");
        let get = |path: &str| {
            ask(
                health.address(),
                &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
            )
        };
        assert_eq!(get("/healthz"), "HTTP/1.1 200 OK");
        assert_eq!(get("/readyz"), "HTTP/1.1 503 Service Unavailable");
        health.note(true);
        assert_eq!(get("/readyz?verbose"), "HTTP/1.1 200 OK");
        health.note(false);
        assert_eq!(get("/readyz"), "HTTP/1.1 503 Service Unavailable");
        assert_eq!(get("/healthz"), "HTTP/1.1 200 OK");
        assert_eq!(get("/"), "HTTP/1.1 404 Not Found");
        assert_eq!(ask(health.address(), "\r\n\r\n"), "HTTP/1.1 404 Not Found");
        let late = State {
            begun: Instant::now(),
            looked: AtomicU64::new(0),
            is_well: AtomicBool::new(true),
            limit: Duration::ZERO,
        };
        assert!(late.answer("/healthz").0.starts_with("503"));
    }
}
