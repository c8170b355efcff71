//! An API server on loopback that a test tells when to fail: storms, refusals, cut connections,
//! answers that never come. It keeps a few kinds of objects in memory and writes down what it was
//! asked.

mod api;
mod http;
mod owned;

use std::io::{self, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use api::{Api, status};
use http::{Answer, Request};

/// What happens instead of an answer.
#[derive(Debug, Clone)]
enum Fate {
    /// This answer is given and nothing is done.
    Refused(Answer),
    /// The connection is closed before anything is done.
    CutBefore,
    /// It is done, and the connection is closed within the answer.
    CutAfter,
    /// Nothing is done and no answer comes.
    StallsBefore,
    /// It is done, and half of the answer comes.
    StallsWithin,
}

/// A failure that was set up: of which requests, and what it is.
#[derive(Debug, Clone)]
pub struct Fault {
    method: &'static str,
    path: String,
    calls: std::ops::Range<usize>,
    met: usize,
    fate: Fate,
}

impl Fault {
    /// A failure of every request with this method and path; `*` stands for one step of the path,
    /// `**` at the end for all that follow.
    fn new(method: &'static str, path: &str, fate: Fate) -> Self {
        Self {
            method,
            path: path.to_owned(),
            calls: 0..usize::MAX,
            met: 0,
            fate,
        }
    }

    /// Only the first `count` requests fail.
    pub fn first(self, count: usize) -> Self {
        Self {
            calls: 0..count,
            ..self
        }
    }

    /// Only one request fails, counted from 1.
    pub fn only(self, number: usize) -> Self {
        Self {
            calls: number - 1..number,
            ..self
        }
    }

    /// Too many requests: try again after so many seconds.
    pub fn too_many(method: &'static str, path: &str, retry_after: u32) -> Self {
        let mut answer = status(
            429,
            "TooManyRequests",
            "the server has received too many requests and has asked us to try again later",
            json!({ "retryAfterSeconds": retry_after }),
        );
        answer
            .headers
            .push(("Retry-After", retry_after.to_string()));
        Self::new(method, path, Fate::Refused(answer))
    }

    /// The server fails: 500, 503, …
    pub fn broken(method: &'static str, path: &str, code: u16) -> Self {
        let reason = if code == 503 {
            "ServiceUnavailable"
        } else {
            "InternalError"
        };
        let answer = status(code, reason, "etcdserver: leader changed", json!({}));
        Self::new(method, path, Fate::Refused(answer))
    }

    /// Fields belong to others: `(manager, field as the server writes it)`.
    pub fn conflict(method: &'static str, path: &str, conflicts: &[(&str, &str)]) -> Self {
        let owned = |(manager, field): &(&str, &str)| ((*manager).to_owned(), (*field).to_owned());
        let conflicts: Vec<(String, String)> = conflicts.iter().map(owned).collect();
        Self::new(method, path, Fate::Refused(api::conflict(&conflicts)))
    }

    /// The user may not do this.
    pub fn forbidden(method: &'static str, path: &str) -> Self {
        let message = "is forbidden: User \"test\" cannot do this";
        let answer = status(403, "Forbidden", message, json!({}));
        Self::new(method, path, Fate::Refused(answer))
    }

    /// Nobody knows the user.
    pub fn unauthorized(method: &'static str, path: &str) -> Self {
        let answer = status(401, "Unauthorized", "Unauthorized", json!({}));
        Self::new(method, path, Fate::Refused(answer))
    }

    /// A webhook refuses an object.
    pub fn admission(method: &'static str, path: &str, reason: &str) -> Self {
        Self::denied(method, path, 422, reason)
    }

    /// The same with another code; a webhook gives whichever it likes.
    pub fn denied(method: &'static str, path: &str, code: u16, reason: &str) -> Self {
        let message =
            format!("admission webhook \"policy.example.com\" denied the request: {reason}");
        let details = json!({ "causes": [{ "message": reason, "field": "spec" }] });
        let answer = status(code, "Invalid", &message, details);
        Self::new(method, path, Fate::Refused(answer))
    }

    /// The object is not of the form of its kind; servers give that 500 when they apply it.
    pub fn malformed(method: &'static str, path: &str) -> Self {
        let message = "failed to create typed patch object (t/a; /v1, Kind=ConfigMap): .dta: field \
                       not declared in schema";
        let answer = status(500, "", message, json!({}));
        Self::new(method, path, Fate::Refused(answer))
    }

    /// The object changed while the server was at it.
    pub fn stale(method: &'static str, path: &str) -> Self {
        let message = "Operation cannot be fulfilled: the object has been modified; please apply \
                       your changes to the latest version and try again";
        let answer = status(409, "Conflict", message, json!({ "name": "a" }));
        Self::new(method, path, Fate::Refused(answer))
    }

    /// The namespace is being deleted.
    pub fn terminating(method: &'static str, path: &str, namespace: &str) -> Self {
        let answer = api::terminating("objects", "new", namespace);
        Self::new(method, path, Fate::Refused(answer))
    }

    /// The connection ends before anything is done.
    pub fn cut_before(method: &'static str, path: &str) -> Self {
        Self::new(method, path, Fate::CutBefore)
    }

    /// The connection ends within the answer: it was done, and nobody is told.
    pub fn cut_after(method: &'static str, path: &str) -> Self {
        Self::new(method, path, Fate::CutAfter)
    }

    /// No answer comes, and nothing is done.
    pub fn stalls(method: &'static str, path: &str) -> Self {
        Self::new(method, path, Fate::StallsBefore)
    }

    /// Half of an answer comes; it was done.
    pub fn stalls_within(method: &'static str, path: &str) -> Self {
        Self::new(method, path, Fate::StallsWithin)
    }

    /// What happens to a request, if it is one of those that fail.
    fn meet(&mut self, request: &Request) -> Option<Fate> {
        if request.method != self.method || !covers(&self.path, &request.path) {
            return None;
        }
        self.met += 1;
        self.calls
            .contains(&(self.met - 1))
            .then(|| self.fate.clone())
    }
}

fn covers(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == "*" || wanted == found => {}
            _ => return false,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    api: Mutex<Api>,
    faults: Mutex<Vec<Fault>>,
    requests: Mutex<Vec<Request>>,
    is_closing: AtomicBool,
}

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    folder: TempDir,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test thread panicked")
}

impl Scripted {
    /// Starts with nothing but the namespace `kube-system`.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &served));
        let folder = tempfile::tempdir().expect("a folder");
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "scripted",
            "clusters": [{ "name": "scripted", "cluster": { "server": format!("http://{address}") } }],
            "users": [{ "name": "test", "user": { "token": "t" } }],
            "contexts": [{ "name": "scripted", "context": { "cluster": "scripted", "user": "test" } }],
        });
        std::fs::write(folder.path().join("config"), kubeconfig.to_string()).expect("a file");
        let scripted = Self {
            address,
            shared,
            folder,
        };
        scripted.put("/api/v1/namespaces/kube-system", json!({}));
        scripted
    }

    /// A configuration of kubectl that names this server.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// Sets up a failure. Of several that a request meets, the first one set up takes it.
    pub fn fail(&self, fault: Fault) {
        locked(&self.shared.faults).push(fault);
    }

    /// Takes all failures back.
    pub fn heal(&self) {
        locked(&self.shared.faults).clear();
    }

    /// How often it was asked so, in all or since [`Scripted::forget`]; refused requests count.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let requests = locked(&self.shared.requests);
        let asked = requests
            .iter()
            .filter(|request| request.method == method && covers(path, &request.path));
        asked.count()
    }

    /// All requests as `METHOD /path`, in their order.
    pub fn requests(&self) -> Vec<String> {
        let requests = locked(&self.shared.requests);
        let line = |request: &Request| format!("{} {}", request.method, request.path);
        requests.iter().map(line).collect()
    }

    /// How often it was asked to tell of changes as they come.
    pub fn watches(&self) -> usize {
        let requests = locked(&self.shared.requests);
        let watches = requests
            .iter()
            .filter(|request| request.parameter("watch").is_some());
        watches.count()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        locked(&self.shared.requests).clear();
    }

    /// The object at a path of the API.
    pub fn object(&self, path: &str) -> Option<Value> {
        locked(&self.shared.api).object(path).cloned()
    }

    /// Puts an object there as somebody else (`kubectl-create`) would, past all failures.
    pub fn put(&self, path: &str, body: Value) {
        let request = Request {
            method: "PATCH".to_owned(),
            path: path.to_owned(),
            query: vec![("fieldManager".to_owned(), "kubectl-create".to_owned())],
            body,
        };
        let answer = locked(&self.shared.api).answer(&request);
        assert!(answer.code < 300, "{path}: {}", answer.body);
    }

    /// Changes a field by hand as `manager`; `field` are keys of `fieldsV1`: `f:spec`, ….
    pub fn update(&self, path: &str, field: &[&str], value: Value, manager: &str) {
        locked(&self.shared.api).update(path, field, value, manager);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts connections.
        drop(TcpStream::connect(self.address));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_closing.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        // A client that goes away in the middle is its own affair.
        thread::spawn(move || drop(serve(&stream, &shared)));
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = Request::read(&mut reader)? {
        locked(&shared.requests).push(request.clone());
        let fate = locked(&shared.faults)
            .iter_mut()
            .find_map(|fault| fault.meet(&request));
        let answer = || locked(&shared.api).answer(&request);
        match fate {
            None if request
                .parameter("watch")
                .is_some_and(|watch| watch != "false") =>
            {
                // Nothing ever happens to what is watched.
                return stall(stream, shared);
            }
            None => answer().write(stream, 100)?,
            Some(Fate::Refused(answer)) => answer.write(stream, 100)?,
            Some(Fate::CutBefore) => return stream.shutdown(Shutdown::Both),
            Some(Fate::CutAfter) => {
                answer().write(stream, 50)?;
                return stream.shutdown(Shutdown::Both);
            }
            Some(Fate::StallsBefore) => return stall(stream, shared),
            Some(Fate::StallsWithin) => {
                answer().write(stream, 50)?;
                return stall(stream, shared);
            }
        }
    }
    Ok(())
}

/// Keeps a connection open without a word, until the client leaves or the server ends.
fn stall(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut byte = [0];
    while !shared.is_closing.load(Ordering::Relaxed) {
        match stream.peek(&mut byte) {
            Ok(0) => return Ok(()),
            Ok(_) => thread::sleep(Duration::from_millis(20)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
