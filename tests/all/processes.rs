//! Several processes on one store.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use windlass::clock::Clock;
use windlass::db::{Db, OperationDraft};
use windlass::store::{Embedded, Error, Store as _, Waiting};

use crate::db::new_space;

/// What a child process is to do, and where.
const ROLE: &str = "WINDLASS_TEST_ROLE";
const STORE: &str = "WINDLASS_TEST_STORE";

/// Starts this very test binary in a role.
pub(crate) fn start(role: &str, store: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--ignored", "--nocapture"])
        .env(ROLE, role)
        .env(STORE, store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The lines that a child means for its parent; the test harness prints others.
pub(crate) fn said(line: &str) -> Option<&str> {
    line.split_once("child: ").map(|(_, said)| said.trim())
}

fn say(what: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "child: {what}").unwrap();
    out.flush().unwrap();
}

#[test]
#[ignore = "the other tests run it in a process of its own"]
fn child() {
    let role = std::env::var_os(ROLE).expect("a role");
    let store = std::env::var_os(STORE).expect("a store");
    let store = Embedded::new(store).with_lock_timeout(Duration::from_mins(1));
    let db = Db::new(Arc::new(store), Clock::System);
    match role.to_str() {
        Some("hold") => {
            let mut writing = db.write("long import").unwrap();
            new_space(&mut writing, "held");
            say("holding");
            // Until the parent closes its end.
            std::io::stdin().lines().for_each(drop);
            writing
                .finish(OperationDraft::new("import", "child"))
                .unwrap();
            say("done");
        }
        Some("count") => {
            for _ in 0..15 {
                let mut writing = db.write("count").unwrap();
                let count: u32 = match writing.cluster_record(b"n").unwrap() {
                    Some(bytes) => String::from_utf8(bytes).unwrap().parse().unwrap(),
                    None => 0,
                };
                let next = (count + 1).to_string().into_bytes();
                writing.put_cluster(b"n", next).unwrap();
                writing
                    .finish(OperationDraft::new("count", "child"))
                    .unwrap();
            }
        }
        Some("write") => crate::crash::write_until_killed(&db, say),
        other => panic!("no role {other:?}"),
    }
}

/// A child that holds the write lock until its standard input is closed.
fn holding(store: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = start("hold", store);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    wait_for(&mut out, "holding");
    (child, out)
}

fn wait_for(out: &mut BufReader<ChildStdout>, what: &str) {
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 {
        if said(&line) == Some(what) {
            return;
        }
        line.clear();
    }
    panic!("the child ended and never said `{what}`");
}

fn let_go(mut child: Child, mut out: BufReader<ChildStdout>) {
    drop(child.stdin.take());
    wait_for(&mut out, "done");
    assert!(child.wait().unwrap().success());
}

#[test]
fn readers_go_on_while_another_process_writes_and_see_its_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let db = Db::new(Arc::new(Embedded::new(&path)), Clock::System);
    let mut writing = db.write("create").unwrap();
    new_space(&mut writing, "base");
    writing
        .finish(OperationDraft::new("create", "ada"))
        .unwrap();

    let early = db.read().unwrap();
    let (child, out) = holding(&path);
    // The child goes on only after this: a reader that waited for it would wait for ever.
    for _ in 0..50 {
        assert_eq!(early.spaces().unwrap().len(), 1);
        assert_eq!(db.read().unwrap().spaces().unwrap().len(), 1);
        let fresh = Db::new(Arc::new(Embedded::new(&path)), Clock::System);
        assert_eq!(fresh.read().unwrap().spaces().unwrap().len(), 1);
    }
    let_go(child, out);
    assert_eq!(early.spaces().unwrap().len(), 1);
    assert_eq!(db.read().unwrap().spaces().unwrap().len(), 2);
}

#[test]
fn a_waiting_writer_names_the_process_it_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let (child, out) = holding(&path);
    let (told, heard) = mpsc::channel::<Waiting>();
    let told = Mutex::new(told);
    let store = Embedded::new(&path)
        .with_lock_timeout(Duration::from_mins(1))
        .with_on_wait(Arc::new(move |waiting| {
            told.lock().unwrap().send(waiting.clone()).unwrap();
        }));
    let writing = thread::spawn(move || store.write("patch").map(drop));
    let holder = heard
        .recv_timeout(Duration::from_secs(30))
        .unwrap()
        .holder
        .unwrap();
    assert_eq!(holder.pid, child.id());
    assert_eq!(holder.command, "long import");
    let_go(child, out);
    writing.join().unwrap().unwrap();
}

#[test]
fn a_writer_that_gives_up_names_the_process_that_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let (child, out) = holding(&path);
    let store = Embedded::new(&path).with_lock_timeout(Duration::from_millis(50));
    let error = store.write("patch").err().unwrap();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("pid {}", child.id())), "{text}");
    assert!(text.contains("`long import`"), "{text}");
    let_go(child, out);
    assert!(!path.with_file_name("store.redb.writer").exists());
}

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let children: Vec<Child> = (0..4).map(|_| start("count", &path)).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let db = Db::new(Arc::new(Embedded::new(&path)), Clock::System);
    let reading = db.read().unwrap();
    let count = reading.cluster_record(b"n").unwrap().unwrap();
    assert_eq!(String::from_utf8(count).unwrap(), "60");
    assert_eq!(reading.last_operation().unwrap().unwrap().0, 60);
    assert!(reading.verify_log().unwrap().is_sound());
}
