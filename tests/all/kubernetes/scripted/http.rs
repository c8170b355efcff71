//! As much of HTTP/1.1 as a client of the API needs.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// A request as it was received.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Value,
}

impl Request {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Reads the next request of a connection; none at its end.
    pub fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let Some(first) = line(stream)? else {
            return Ok(None);
        };
        let mut words = first.split(' ');
        let (method, target) = (words.next(), words.next());
        let (path, query) = target
            .unwrap_or("/")
            .split_once('?')
            .unwrap_or((target.unwrap_or("/"), ""));
        let mut length = 0;
        while let Some(header) = line(stream)?.filter(|header| !header.is_empty()) {
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        };
        Ok(Some(Self {
            method: method.unwrap_or_default().to_owned(),
            path: decoded(path),
            query: query
                .split('&')
                .filter(|text| !text.is_empty())
                .map(pair)
                .collect(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }))
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = stream.read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim_end().to_owned()))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = (byte == b'%').then(|| rest.clone().take(2).map(char::from).collect::<String>());
        match hex.and_then(|hex| u8::from_str_radix(&hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest.nth(1);
            }
            None if byte == b'+' => bytes.push(b' '),
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub code: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

impl Answer {
    pub fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub fn new(code: u16, body: Value) -> Self {
        Self {
            code,
            headers: Vec::new(),
            body,
        }
    }

    /// Writes the answer, or the beginning of it, as much as `part` of a hundred of its body.
    pub fn write(&self, mut stream: &TcpStream, part: usize) -> io::Result<()> {
        let body = self.body.to_string();
        let mut text = format!(
            "HTTP/1.1 {} Scripted\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            self.code,
            body.len()
        );
        for (name, value) in &self.headers {
            text.extend([name, ": ", value.as_str(), "\r\n"]);
        }
        text.push_str("\r\n");
        stream.write_all(text.as_bytes())?;
        stream.write_all(&body.as_bytes()[..body.len() * part / 100])?;
        stream.flush()
    }
}
