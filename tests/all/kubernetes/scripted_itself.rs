//! The scripted API server does what tests rely on, asked by the client that the product uses.

use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, Preconditions};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::discovery::ApiResource;
use kube::{Client, Config, Error};
use serde_json::{Value, json};
use windlass::runtime::Runtime;

use super::scripted::{Fault, Scripted};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/t/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/t/deployments/web";

struct World {
    runtime: Runtime,
    server: Scripted,
    client: Client,
}

impl World {
    fn new() -> Self {
        let server = Scripted::start();
        server.put("/api/v1/namespaces/t", json!({}));
        let runtime = Runtime::start().unwrap();
        let kubeconfig = Kubeconfig::read_from(server.kubeconfig()).unwrap();
        let client = runtime.wait_for(async {
            let options = KubeConfigOptions::default();
            let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .unwrap();
            config.read_timeout = Some(Duration::from_millis(300));
            config.default_retry = false;
            Client::try_from(config).unwrap()
        });
        Self {
            runtime,
            server,
            client,
        }
    }

    fn deployments(&self) -> Api<DynamicObject> {
        let kind = ApiResource {
            group: "apps".to_owned(),
            version: "v1".to_owned(),
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            plural: "deployments".to_owned(),
        };
        Api::namespaced_with(self.client.clone(), "t", &kind)
    }

    fn apply(&self, manager: &str, force: bool, body: &Value) -> Result<Value, Error> {
        let parameters = PatchParams {
            force,
            ..PatchParams::apply(manager)
        };
        let api = self.deployments();
        let patched = self
            .runtime
            .wait_for(api.patch("web", &parameters, &Patch::Apply(body)));
        patched.map(|object| serde_json::to_value(object).unwrap())
    }

    fn get(&self) -> Result<DynamicObject, Error> {
        self.runtime.wait_for(self.deployments().get("web"))
    }
}

fn web(replicas: Option<u32>, image: &str) -> Value {
    let mut body = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "labels": { "a": "b" } },
        "spec": { "template": { "spec": { "containers": [{ "name": "api", "image": image }] } } },
    });
    if let Some(replicas) = replicas {
        body["spec"]["replicas"] = json!(replicas);
    }
    body
}

fn refusal(error: &Error) -> (u16, String, String) {
    match error {
        Error::Api(status) => {
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let fields: Vec<String> = causes
                .map(|cause| format!("{} {}: {}", cause.reason, cause.field, cause.message))
                .collect();
            (status.code, status.reason.clone(), fields.join("; "))
        }
        other => (0, String::new(), other.to_string()),
    }
}

#[test]
fn apply_keeps_who_set_what() {
    let world = World::new();
    let made = world
        .apply("windlass", false, &web(Some(3), "x:1"))
        .unwrap();
    assert_eq!(made["spec"]["progressDeadlineSeconds"], 600);
    assert_eq!(made["status"]["readyReplicas"], 3);
    let fields = &made["metadata"]["managedFields"][0];
    assert_eq!(
        (&fields["manager"], &fields["operation"]),
        (&json!("windlass"), &json!("Apply"))
    );
    assert_eq!(
        fields["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"api\"}"],
        json!({ ".": {}, "f:image": {}, "f:name": {} })
    );
    // Nothing new, nothing changes.
    let again = world
        .apply("windlass", false, &web(Some(3), "x:1"))
        .unwrap();
    assert_eq!(again, made);

    world
        .server
        .update(WEB, &["f:spec", "f:replicas"], json!(5), "kubectl");
    let image = [
        "f:spec",
        "f:template",
        "f:spec",
        "f:containers",
        "k:{\"name\":\"api\"}",
        "f:image",
    ];
    world
        .server
        .update(WEB, &image, json!("x:9"), "kubectl-edit");
    let refused = world
        .apply("windlass", false, &web(Some(3), "x:1"))
        .unwrap_err();
    let (code, reason, causes) = refusal(&refused);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert_eq!(
        causes,
        "FieldManagerConflict .spec.replicas: conflict with \"kubectl\" using apps/v1; \
         FieldManagerConflict .spec.template.spec.containers[name=\"api\"].image: conflict with \
         \"kubectl-edit\" using apps/v1"
    );
    // What is left out stays with whom it belongs to; what is forced comes back.
    let forced = world.apply("windlass", true, &web(Some(3), "x:1")).unwrap();
    assert_eq!(forced["spec"]["replicas"], 3);
    let dropped = world.apply("windlass", false, &web(None, "x:2")).unwrap();
    assert_eq!(dropped["spec"]["replicas"], 1, "the default comes back");
    assert_eq!(
        dropped["spec"]["template"]["spec"]["containers"],
        json!([{ "name": "api", "image": "x:2" }])
    );
}

#[test]
fn lists_come_in_pages_and_by_label() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        let labels = json!({ "metadata": { "labels": { "unit": name } } });
        world.server.put(&format!("{DEPLOYMENTS}/{name}"), labels);
    }
    let api = world.deployments();
    let list = |parameters: ListParams| world.runtime.wait_for(api.list(&parameters)).unwrap();
    let page = list(ListParams::default().limit(2));
    assert_eq!(page.items.len(), 2);
    let next = page.metadata.continue_.unwrap();
    let rest = list(ListParams::default().limit(2).continue_token(&next));
    assert_eq!((rest.items.len(), rest.metadata.continue_), (1, None));
    assert_eq!(list(ListParams::default().labels("unit=b")).items.len(), 1);
    assert_eq!(list(ListParams::default().labels("unit")).items.len(), 3);
    assert_eq!(world.server.count("GET", DEPLOYMENTS), 4);
}

#[test]
fn deleting_asks_for_the_right_object() {
    let world = World::new();
    world.server.put(WEB, json!({}));
    let api = world.deployments();
    let delete = |uid: &str| {
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(uid.to_owned()),
                ..Preconditions::default()
            }),
            ..DeleteParams::default()
        };
        world.runtime.wait_for(api.delete("web", &parameters))
    };
    assert_eq!(refusal(&delete("another").unwrap_err()).0, 409);
    let uid = world.server.object(WEB).unwrap()["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(delete(&uid).is_ok());
    assert_eq!(refusal(&world.get().unwrap_err()).0, 404);
    assert_eq!(world.server.object(WEB), None);
}

#[test]
fn each_failure_is_what_it_says() {
    for (fault, code, text, is_done) in [
        (Fault::too_many("PATCH", WEB, 0), 429, "", false),
        (Fault::broken("PATCH", WEB, 500), 500, "", false),
        (Fault::broken("PATCH", WEB, 503), 503, "", false),
        (
            Fault::conflict("PATCH", WEB, &[("helm", ".spec.x")]),
            409,
            "FieldManagerConflict .spec.x",
            false,
        ),
        (Fault::forbidden("PATCH", WEB), 403, "", false),
        (Fault::unauthorized("PATCH", WEB), 401, "", false),
        (
            Fault::admission("PATCH", WEB, "no latest"),
            422,
            "no latest",
            false,
        ),
        (
            Fault::terminating("PATCH", WEB, "t"),
            403,
            "NamespaceTerminating",
            false,
        ),
        (Fault::cut_before("PATCH", WEB), 0, "", false),
        (Fault::cut_after("PATCH", WEB), 0, "", true),
        (Fault::stalls("PATCH", WEB), 0, "", false),
        (Fault::stalls_within("PATCH", WEB), 0, "", true),
    ] {
        let world = World::new();
        world.server.fail(fault.clone());
        let error = world
            .apply("windlass", false, &web(None, "x:1"))
            .unwrap_err();
        let (found, _, causes) = refusal(&error);
        assert_eq!(found, code, "{fault:?}: {error}");
        assert!(causes.contains(text), "{fault:?}: {causes}");
        assert_eq!(world.server.object(WEB).is_some(), is_done, "{fault:?}");
        world.server.heal();
        assert!(
            world.apply("windlass", false, &web(None, "x:1")).is_ok(),
            "{fault:?}"
        );
    }
}

#[test]
fn failures_can_be_counted() {
    let world = World::new();
    world
        .server
        .fail(Fault::broken("GET", "/apis/apps/v1/**", 400).only(2));
    let codes = |world: &World| -> Vec<u16> {
        (0..3)
            .map(|_| refusal(&world.get().unwrap_err()).0)
            .collect()
    };
    assert_eq!(codes(&world), [404, 400, 404]);
    world.server.heal();
    world.server.forget();
    world
        .server
        .fail(Fault::broken("GET", "/apis/*/v1/namespaces/t/deployments/web", 400).first(2));
    assert_eq!(codes(&world), [400, 400, 404]);
    assert_eq!(
        world.server.requests(),
        [
            format!("GET {WEB}"),
            format!("GET {WEB}"),
            format!("GET {WEB}")
        ]
    );
    assert_eq!(world.server.count("GET", "/apis/**"), 3);
    assert_eq!(world.server.count("PATCH", WEB), 0);
}

#[test]
fn a_namespace_that_is_not_there_holds_nothing() {
    let world = World::new();
    let api: Api<DynamicObject> = Api::namespaced_with(
        world.client.clone(),
        "elsewhere",
        &ApiResource {
            group: String::new(),
            version: "v1".to_owned(),
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            plural: "configmaps".to_owned(),
        },
    );
    let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
    let (parameters, patch) = (PatchParams::apply("windlass"), Patch::Apply(&body));
    let sent = api.patch("a", &parameters, &patch);
    let error = world.runtime.wait_for(sent).unwrap_err();
    assert_eq!(refusal(&error).0, 404, "{error}");
    assert!(
        error
            .to_string()
            .contains("namespaces \"elsewhere\" not found"),
        "{error}"
    );
}
