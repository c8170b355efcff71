//! Credentials that are not taken, or cannot be had.

use serde_json::json;
use windlass::deploy::{Error, Target as _};

use super::super::scripted::Fault;
use super::{A, World, config, connect, unit};

#[test]
fn credentials_that_have_expired_are_told_at_once() {
    for (method, path) in [("GET", "/**"), ("GET", "/api/v1"), ("GET", A), ("PATCH", A)] {
        let world = World::new();
        world.server.fail(Fault::unauthorized(method, path));
        let applied = world.apply(&unit(1, &config("a", "x")), None);
        let error = applied.expect_err("unknown here");
        assert!(
            matches!(error, Error::Unauthorized { .. }),
            "{method} {path}: {error:?}"
        );
        let text = error.to_string();
        for part in ["scripted (http://", "have expired", "log in again"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let tries = world.server.count(method, path);
        assert_eq!(tries, 1, "{method} {path} is not tried again");
    }
    let world = World::new();
    world.server.fail(Fault::unauthorized("GET", "/**"));
    for error in [
        world.target.probe().expect_err("unknown here"),
        world.target.identity().expect_err("unknown here"),
    ] {
        assert!(matches!(error, Error::Unauthorized { .. }), "{error:?}");
    }
}

#[test]
fn a_program_that_gives_no_credentials_is_told() {
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let text = std::fs::read_to_string(world.server.kubeconfig()).expect("a configuration");
    let expired = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": { "expirationTimestamp": "2020-01-01T00:00:00Z" },
    });
    world.server.fail(Fault::unauthorized("GET", "/**"));
    for (command, arguments, asked_for) in [
        ("/bin/false", vec![], 0),
        ("/nowhere/aws", vec!["get-token".to_owned()], 0),
        ("/bin/echo", vec!["this is no credential".to_owned()], 0),
        // That one is no good only the server can tell.
        ("/bin/echo", vec![expired.to_string()], 1),
    ] {
        let mut config: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        config["users"][0]["user"] = json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
            "command": command, "args": arguments.clone(),
        }});
        std::fs::write(&file, config.to_string()).expect("written");
        let asked = connect(file.clone(), 1).and_then(|target| target.probe());
        let error = asked.expect_err("no credentials");
        assert!(
            matches!(error, Error::Config { .. } | Error::Unauthorized { .. }),
            "{command}: {error:?}"
        );
        assert!(error.to_string().contains("scripted"), "{error}");
        let tries = world.server.count("GET", "/version");
        assert_eq!(tries, asked_for, "{command} {arguments:?}");
    }
}
