//! The one place through which every request goes: what is tried again, and for how long.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use http::{Method, Request, header};
use kube::client::Body;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::answer::{Failure, Refusal};
use super::connect::{Api, chain};

/// How often a request is tried, unless the server itself says when to come back.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    method: Method,
    path: String,
    body: Vec<u8>,
    content: &'static str,
    accept: &'static str,
    is_list: bool,
    repeatable: bool,
}

impl Call {
    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            body: Vec::new(),
            content: "application/json",
            accept: "application/json",
            is_list: false,
            repeatable: true,
        }
    }

    pub(super) fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn list(path: String) -> Self {
        Self {
            is_list: true,
            ..Self::new(Method::GET, path)
        }
    }

    /// Server-side apply; the same again changes nothing.
    pub(super) fn apply(path: String, object: &Value) -> Self {
        Self {
            body: bytes(object),
            content: "application/apply-patch+yaml",
            ..Self::new(Method::PATCH, path)
        }
    }

    /// Creates an object; again, it is there already.
    pub(super) fn create(path: String, object: &Value) -> Self {
        Self {
            body: bytes(object),
            ..Self::new(Method::POST, path)
        }
    }

    /// A JSON patch; it is not repeated, as it tests what it changes.
    pub(super) fn json_patch(path: String, changes: &Value) -> Self {
        Self {
            body: bytes(changes),
            content: "application/json-patch+json",
            repeatable: false,
            ..Self::new(Method::PATCH, path)
        }
    }

    /// Deletes the object with this uid, and no other of its name.
    pub(super) fn delete(path: String, uid: &str) -> Self {
        let options = serde_json::json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        });
        Self {
            body: options.to_string().into_bytes(),
            ..Self::new(Method::DELETE, path)
        }
    }

    pub(super) fn accept(self, accept: &'static str) -> Self {
        Self { accept, ..self }
    }

    fn request(&self) -> Result<Request<Body>, http::Error> {
        Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header(header::ACCEPT, self.accept)
            .header(header::CONTENT_TYPE, self.content)
            .body(Body::from(self.body.clone()))
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    // A value that is JSON already can always be written.
    serde_json::to_vec(value).unwrap_or_default()
}

/// What one try came to.
enum Try {
    Answered(Vec<u8>),
    Ended(Failure),
    /// It may go better later, and when the server says so, after that time.
    Again(Failure, Option<Duration>),
}

impl Api {
    /// The results of works in their order, as many at once as there are connections. One that
    /// takes long keeps none but itself waiting.
    pub(super) async fn at_once<W: Future>(
        &self,
        works: impl Iterator<Item = W>,
    ) -> Vec<W::Output> {
        let numbered = works
            .enumerate()
            .map(|(at, work)| async move { (at, work.await) });
        let results = stream::iter(numbered).buffer_unordered(self.connections);
        let mut results: Vec<(usize, W::Output)> = results.collect().await;
        results.sort_by_key(|(at, _)| *at);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Sends a request, again where that may help, and reads the answer.
    pub(super) async fn call(&self, call: &Call) -> Result<Value, Failure> {
        let answer = self.call_bytes(call).await?;
        serde_json::from_slice(&answer).map_err(|error| Failure::Lost {
            reason: format!(
                "expected JSON as the answer to {}, found something else: {error}",
                call.path
            ),
        })
    }

    /// Sends a request, again where that may help; the answer as it came.
    pub(super) async fn call_bytes(&self, call: &Call) -> Result<Vec<u8>, Failure> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            tries += 1;
            let (failure, told) = match self.once(call).await {
                Try::Answered(answer) => return Ok(answer),
                Try::Ended(failure) => return Err(failure),
                Try::Again(failure, told) => (failure, told),
            };
            // Even where the server says `at once`, all must not come back at the same time.
            let wait = told.map_or_else(|| jittered(pause), |told| told + jittered(FIRST_PAUSE));
            let is_last = told.is_none() && tries >= TRIES;
            if !call.repeatable || is_last || begun.elapsed() + wait > self.timeouts.retries {
                return Err(failure);
            }
            sleep(wait).await;
            pause *= 2;
        }
    }

    async fn once(&self, call: &Call) -> Try {
        // The semaphore is never closed; without a permit there would merely be no limit.
        let _permit = self.permits.acquire().await.ok();
        let patience = if call.is_list {
            self.timeouts.list
        } else {
            self.timeouts.request
        };
        match timeout(patience, self.exchange(call)).await {
            Ok(result) => result,
            Err(_) => Try::Again(
                Failure::Lost {
                    reason: format!("no answer within {} s", patience.as_secs_f32()),
                },
                None,
            ),
        }
    }

    async fn exchange(&self, call: &Call) -> Try {
        let request = match call.request() {
            Ok(request) => request,
            Err(error) => {
                return Try::Ended(Failure::Lost {
                    reason: format!("`{}` is no address: {error}", call.path),
                });
            }
        };
        let answer = match self.client.send(request).await {
            Ok(answer) => answer,
            Err(error) => return lost(&error),
        };
        let (head, body) = answer.into_parts();
        let bytes = match body.collect_bytes().await {
            Ok(bytes) => bytes,
            Err(error) => return lost(&error),
        };
        if head.status.is_success() {
            return Try::Answered(bytes.into());
        }
        let refusal = Refusal::read(head.status.as_u16(), &bytes);
        match refusal.code {
            429 | 500 | 502 | 503 | 504 if !refusal.is_of_object() => {
                let told = head
                    .headers
                    .get(header::RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.trim().parse().ok());
                Try::Again(Failure::Refused(refusal), told.map(Duration::from_secs))
            }
            _ => Try::Ended(Failure::Refused(refusal)),
        }
    }
}

fn lost(error: &kube::Error) -> Try {
    let reason = chain(error);
    if matches!(error, kube::Error::Auth(_)) || reason.contains("auth exec") {
        return Try::Ended(Failure::Refused(Refusal::unauthorized(reason)));
    }
    // A certificate that is not accepted now is not accepted in a second either.
    let is_final = reason.contains("certificate");
    let failure = Failure::Lost { reason };
    if is_final {
        Try::Ended(failure)
    } else {
        Try::Again(failure, None)
    }
}

/// Between half of the pause and one and a half, so that many do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1_000;
    let thousandths = 500 + u32::try_from(random).unwrap_or_default();
    pause * thousandths / 1_000
}
