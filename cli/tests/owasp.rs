//! `weir owasp`: what is claimed of a policy is so, and what is missing is told.

// Helpers of tests are not `#[test]` themselves, so clippy's `allow-*-in-tests` misses them.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{Folder, policy};
use serde_json::{Value, json};

const FRAMEWORKS: [&str; 5] = ["owasp", "atlas", "nist-ai-rmf", "iso-42001", "eu-ai-act"];

/// Every pack with its own actions.
const PACKS: &str = "packs: [{name: injection}, {name: jailbreak}, {name: secrets}, {name: pii}]";

fn page(folder: &Folder, spec: &str) -> Value {
    folder.file("p.yaml", policy(&format!("{{{spec}}}")));
    json_of(folder, "--policy p.yaml")
}

fn json_of(folder: &Folder, arguments: &str) -> Value {
    let ran = folder.run(&format!("owasp --format json {arguments}"), "");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{arguments}");
    serde_json::from_str(&ran.out).unwrap()
}

fn entry<'a>(page: &'a Value, id: &str) -> &'a Value {
    let mut entries = page["entries"].as_array().unwrap().iter();
    entries.find(|entry| entry["id"] == id).unwrap()
}

/// The part of an entry, or a condition, that begins so.
fn part<'a>(of: &'a Value, what: &str) -> &'a Value {
    let parts = of.get("parts").unwrap_or(&of["conditions"]).as_array().unwrap();
    let found = parts.iter().find(|part| part["what"].as_str().unwrap().starts_with(what));
    found.unwrap_or_else(|| panic!("no part {what} in {of}"))
}

fn parts(page: &Value) -> Vec<&Value> {
    let entries = page["entries"].as_array().unwrap().iter();
    let lists = entries.map(|entry| &entry["parts"]).chain([&page["conditions"]]);
    lists.flat_map(|list| list.as_array().unwrap()).collect()
}

fn gaps(part: &Value) -> String {
    let gaps = part["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| gap["reason"].as_str().unwrap()).collect::<Vec<_>>().join("; ")
}

/// Pointers of everything that a page names.
fn places(page: &Value) -> Vec<&Value> {
    let grounds = parts(page).into_iter().flat_map(|part| {
        part["by"].as_array().unwrap().iter().chain(part["gaps"].as_array().unwrap())
    });
    grounds.flat_map(|ground| ground["places"].as_array().unwrap()).collect()
}

#[test]
fn the_page_of_the_default_policy_is_not_stale() {
    let ran = Folder::new("owasp-docs").run("owasp", "");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/owasp.md");
    let kept = fs::read_to_string(kept).unwrap();
    assert!(kept == ran.out, "docs/owasp.md is stale; ./just weir owasp > docs/owasp.md");
}

#[test]
fn every_list_prints_and_no_entry_is_called_covered() {
    let folder = Folder::new("owasp-lists");
    for name in FRAMEWORKS {
        let page = json_of(&folder, &format!("--framework {name}"));
        assert_eq!(page["framework"]["name"], name);
        let states: BTreeSet<&str> = page["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["state"].as_str().unwrap())
            .collect();
        let known = [
            "partly covered",
            "evidence in part",
            "seen only",
            "not covered",
            "no evidence",
            "outside the filter",
        ];
        assert!(states.iter().all(|state| known.contains(state)), "{name}: {states:?}");
        assert!(states.len() > 1, "{name}: everything is {states:?}");
        let ran = folder.run(&format!("owasp --framework {name}"), "");
        for entry in page["entries"].as_array().unwrap() {
            let title = format!(
                "\n## {} {}: {}\n",
                entry["id"].as_str().unwrap(),
                entry["name"].as_str().unwrap(),
                entry["state"].as_str().unwrap()
            );
            assert!(ran.out.contains(&title), "{title} in {}", ran.out);
        }
    }
}

#[test]
fn the_shape_of_the_json() {
    let folder = Folder::new("owasp-shape");
    let page = page(&folder, PACKS);
    let names = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        names(&page),
        "at caller conditions covered document entries framework host mesh notes otherPolicies packs policy weir"
    );
    assert_eq!(names(&page["framework"]), "kind name outside source title");
    for entry in page["entries"].as_array().unwrap() {
        assert_eq!(names(entry), "about id instead name parts state");
        for instead in entry["instead"].as_array().unwrap() {
            assert_eq!(names(instead), "by findings topic what");
        }
    }
    for part in parts(&page) {
        assert_eq!(names(part), "aside by gaps state what why");
        for ground in part["by"].as_array().unwrap() {
            match ground.get("setting") {
                Some(_) => assert_eq!(names(ground), "places setting value"),
                None => {
                    assert_eq!(names(ground), "action channels enforced mode pack places rules")
                }
            }
        }
        for gap in part["gaps"].as_array().unwrap() {
            assert_eq!(names(gap), "places reason");
        }
    }
    assert!(places(&page).iter().all(|place| names(place) == "pointer written"));
    assert_eq!(page["mesh"], Value::Null);
}

#[test]
fn every_rule_that_is_named_is_one_and_does_what_is_said() {
    let folder = Folder::new("owasp-rules");
    folder.file("p.yaml", policy(&format!("{{{PACKS}}}")));
    let listed = folder.run("rules --policy p.yaml --json", "").out;
    let rules: Vec<Value> =
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut named = BTreeSet::new();
    for name in FRAMEWORKS {
        let page = json_of(&folder, &format!("--policy p.yaml --framework {name}"));
        let grounds = parts(&page).into_iter().flat_map(|part| part["by"].as_array().unwrap());
        for ground in grounds.filter(|ground| ground.get("rules").is_some()) {
            for id in ground["rules"].as_array().unwrap() {
                let rule = rules.iter().find(|rule| rule["id"] == *id);
                let rule = rule.unwrap_or_else(|| panic!("there is no rule {id}"));
                assert_eq!(rule["pack"], ground["pack"]);
                for channel in ground["channels"].as_array().unwrap() {
                    let act = &rule["acts"][channel.as_str().unwrap()];
                    assert_eq!(act["action"], ground["action"], "{id} in {channel}");
                    assert_eq!(act["mode"], ground["mode"], "{id} in {channel}");
                }
                named.insert(id.as_str().unwrap().to_owned());
            }
        }
    }
    for rule in &rules {
        assert!(named.contains(rule["id"].as_str().unwrap()), "{} is on no page", rule["id"]);
    }
}

#[test]
fn a_pack_that_is_missing_is_a_gap() {
    let folder = Folder::new("owasp-missing");
    let answers = "Credentials in answers";
    let whole = page(&folder, "packs: [{name: secrets, sensitivity: High}, {name: pii}]");
    assert_eq!(part(entry(&whole, "LLM02"), answers)["state"], "in force");
    let without = page(&folder, "packs: [{name: pii}]");
    let risk = entry(&without, "LLM02");
    assert_eq!(risk["state"], "partly covered");
    let open = part(risk, answers);
    assert_eq!((&open["state"], &open["by"]), (&json!("open"), &json!([])));
    assert_eq!(gaps(open), "pack `secrets` is not in the policy");
    // Neither pseudonyms in records nor silent refusals cover anything by themselves.
    let nothing = page(&folder, "audit: {subject: Nothing}, refusal: {reveal: Nothing}");
    assert_eq!(part(entry(&nothing, "LLM02"), "Callers")["state"], "in force");
    for id in ["LLM02", "LLM07"] {
        assert_eq!(entry(&nothing, id)["state"], "not covered", "{id}");
    }
    assert_eq!(entry(&nothing, "LLM04")["state"], "outside the filter");
}

#[test]
fn what_is_above_the_sensitivity_is_a_gap() {
    let folder = Folder::new("owasp-sensitivity");
    let page = page(&folder, "packs: [{name: secrets, sensitivity: Low}, {name: pii}]");
    let credentials = part(entry(&page, "LLM02"), "Credentials in answers");
    assert_eq!(credentials["state"], "in part");
    assert!(
        gaps(credentials).contains("above its sensitivity in every channel of answers"),
        "{credentials}"
    );
    let gap = &credentials["gaps"][0]["places"];
    assert_eq!(gap, &json!([{"pointer": "/spec/packs/0", "written": true}]));
}

#[test]
fn shadow_and_audit_cover_nothing() {
    let folder = Folder::new("owasp-shadow");
    let pinned = "audit: {subject: Nothing}";
    let audited = PACKS.replace("}", ", action: Audit}");
    let shadowed = PACKS.replace("}", ", mode: Shadow}");
    for (spec, limited) in [
        (format!("mode: Shadow, {PACKS}, {pinned}"), false),
        (audited.clone(), true),
        (shadowed.clone(), true),
    ] {
        let page = page(&folder, &spec);
        for part in parts(&page) {
            for ground in part["by"].as_array().unwrap() {
                assert_ne!(ground.get("enforced"), Some(&json!(true)), "{spec}: {part}");
            }
        }
        for id in ["LLM02", "LLM05", "LLM08"] {
            assert_eq!(entry(&page, id)["state"], "seen only", "{spec}: {id}");
        }
        // A limit counts where packs alone are in Shadow, and not where everything is.
        let limits = entry(&page, "LLM10")["state"] == "partly covered";
        assert_eq!(limits, limited, "{spec}");
        let covered = page["entries"].as_array().unwrap().iter();
        let covered = covered.filter(|entry| entry["state"] == "partly covered").count();
        assert_eq!(covered > 0, limited, "{spec}");
    }
    folder.file("p.yaml", policy(&format!("{{mode: Shadow, {PACKS}, {pinned}}}")));
    let ran = folder.run("owasp --policy p.yaml --framework atlas", "");
    assert!(!ran.out.contains("partly covered"), "{}", ran.out);
}

#[test]
fn settings_that_leave_things_open() {
    let folder = Folder::new("owasp-settings");
    for (spec, id, what, state, gap) in [
        ("failureMode: FailOpen", "LLM10", "Size", "open", "passes unread"),
        ("inspection: {remoteReferences: Audit}", "LLM01", "Text that the", "seen only", "counted"),
        ("inspection: {media: Reject}", "LLM01", "Images", "in force", ""),
        ("inspection: {serverSideState: Allow}", "LLM01", "Earlier turns", "open", "unread"),
        ("refusal: {reveal: Rule}", "LLM07", "What a refusal", "open", "names the rule"),
        ("audit: {subject: Nothing}", "LLM02", "Callers", "in force", ""),
        (
            "packs: [{name: secrets, version: '2026.11'}, {name: pii}]",
            "LLM03",
            "The built-in",
            "in part",
            "`pii` names no version",
        ),
        ("mode: Enforce", "LLM06", "Which tools", "open", "every tool"),
        (
            "tools: {rules: [{id: a, tools: ['sh*'], action: Deny}]}",
            "LLM06",
            "Which tools",
            "in part",
            "no rule denies",
        ),
        (
            "tools: {rules: [{id: a, tools: ['sh*'], action: Deny, mode: Shadow}]}",
            "LLM06",
            "Which tools",
            "seen only",
            "`a` is in Shadow",
        ),
        (
            "tools: {defaultAction: Deny, rules: [{id: a, tools: [get], action: Allow}]}",
            "LLM06",
            "Which tools",
            "in force",
            "",
        ),
        (
            "tools: {defaultAction: Deny, rules: [{id: a, tools: ['*'], action: Allow}]}",
            "LLM06",
            "Which tools",
            "in part",
            "may be offered",
        ),
    ] {
        let page = page(&folder, spec);
        let part = part(entry(&page, id), what);
        assert_eq!(part["state"], state, "{spec}: {part}");
        assert!(gaps(part).contains(gap) && gaps(part).is_empty() == gap.is_empty(), "{part}");
    }
    for (spec, what, state) in [
        ("mode: Shadow", "Decisions", "seen only"),
        ("failureMode: FailOpen", "What cannot", "open"),
        ("requestMode: Progressive", "Requests wait", "in part"),
        ("audit: {clean: 1%}", "Every exchange", "in part"),
        ("traffic: [{hosts: [a.example]}]", "The traffic", "in part"),
        ("traffic: [{hosts: ['*']}]", "The traffic", "in force"),
        ("traffic: [{hosts: ['*'], dialect: Known}]", "The traffic", "in part"),
    ] {
        let page = page(&folder, spec);
        assert_eq!(part(&page, what)["state"], state, "{spec}");
    }
}

#[test]
fn overrides_exceptions_and_the_classifier_are_gaps() {
    let folder = Folder::new("owasp-loosened");
    let loose = page(
        &folder,
        "packs: [
           {name: injection, classifier: Disabled},
           {name: secrets, sensitivity: High, overrides: [{rule: secrets-jwt, action: Audit}]}],
         exceptions: [
           {id: EX-1, rules: [secrets-npm-token], match: {channels: [response.text]}, reason: a test,
            owner: a@example.com, expires: 2999-01-31},
           {id: EX-0, rules: ['secrets-*'], reason: b, owner: b@example.com, expires: 2020-01-31}]",
    );
    let injected = part(entry(&loose, "LLM01"), "Injected");
    assert!(gaps(injected).contains("the classifier of `injection` is disabled"), "{injected}");
    let answers = part(entry(&loose, "LLM02"), "Credentials in answers");
    assert_eq!(answers["state"], "in part");
    assert!(
        gaps(answers)
            .contains("`EX-1` lets 1 rule (`secrets-npm-token`) only Audit in response.text"),
        "{answers}"
    );
    assert!(
        !gaps(answers).contains("EX-0"),
        "an exception that expired loosens nothing: {answers}"
    );
    let requests = part(entry(&loose, "LLM02"), "Credentials in requests");
    assert!(!gaps(requests).contains("EX-1"), "it is for answers: {requests}");
    let audited = answers["by"].as_array().unwrap().iter().find(|by| by["action"] == "Audit");
    let audited = audited.unwrap();
    assert_eq!(audited["rules"], json!(["secrets-jwt"]));
    assert_eq!(audited["places"][0]["pointer"], "/spec/packs/1/overrides/0");
    let all = part(&loose, "Nothing is excepted");
    assert_eq!(all["state"], "in part");
    for words in ["EX-1", "a@example.com; a test", "`EX-0` expired on 2020-02-01T00:00:00Z"] {
        assert!(gaps(all).contains(words), "{words} in {all}");
    }
}

#[test]
fn own_rules_count_by_their_tags() {
    let folder = Folder::new("owasp-own");
    let page = page(
        &folder,
        "rules: [{id: bird, keywords: [bluebird], regex: bluebird, maxLength: 8, exposure: Nothing,
          action: Mask, channels: [response.text], tags: [owasp-llm-2025/LLM02, owasp-llm-2025/LLM2]}]",
    );
    let risk = entry(&page, "LLM02");
    assert_eq!(risk["state"], "partly covered");
    let own = part(risk, "What the policy's own rules find");
    assert_eq!(own["by"][0]["rules"], json!(["bird"]));
    assert_eq!(own["by"][0]["places"][0]["pointer"], "/spec/rules/0");
    let notes = page["notes"].as_array().unwrap();
    assert!(notes.len() == 1 && notes[0].as_str().unwrap().contains("`owasp-llm-2025/LLM2`"));
}

const LAYERS: &str = r#"{"apiVersion": "guard.weir.dev/v1alpha1", "kind": "Bundle", "metadata": {"name": "b"}, "spec": {
  "baseline": {"metadata": {"name": "floor"}, "spec": {
    "unmatched": "Reject",
    "overrides": {"failureMode": "FailClosed", "packs": [{"name": "secrets", "action": "Mask"}],
      "tools": {"rules": [{"id": "no-shell", "tools": ["shell*"], "action": "Deny"}]}},
    "defaults": {"audit": {"clean": "10%"}, "packs": [{"name": "injection"}]},
    "delegate": {"breakGlass": {"maxDuration": "36500d"}},
    "breakGlass": {"until": "UNTIL", "policies": ["p*"], "ticket": "INC-9"}}},
  "policies": [
    {"metadata": {"name": "other"}, "spec": {"appliesTo": {"callers": ["spiffe://x/other"]}}},
    {"metadata": {"name": "plain"}, "spec": {"appliesTo": {"callers": ["spiffe://x/p"]}, "owner": {"team": "t"}}}]}}"#;

#[test]
fn of_a_bundle_the_layer_is_named() {
    let folder = Folder::new("owasp-layers");
    let document = LAYERS.replace("UNTIL", "2026-01-01T00:00:00Z");
    folder.file("b.json", &document);
    let document: Value = serde_json::from_str(&document).unwrap();
    let page = json_of(&folder, "--policy b.json --caller spiffe://x/p");
    assert_eq!((&page["policy"], &page["covered"]), (&json!("plain"), &json!(true)));
    assert_eq!(page["otherPolicies"], json!(["other", "floor"]));
    let found = places(&page);
    for place in &found {
        let pointer = place["pointer"].as_str().unwrap();
        assert_eq!(document.pointer(pointer).is_some(), place["written"], "{pointer}");
    }
    for (pointer, written) in [
        ("/spec/baseline/spec/overrides/packs/0", true),
        ("/spec/baseline/spec/overrides/failureMode", true),
        ("/spec/baseline/spec/overrides/tools", true),
        ("/spec/baseline/spec/defaults/packs/0", true),
        ("/spec/baseline/spec/defaults/audit/clean", true),
        ("/spec/baseline/spec/breakGlass", true),
        ("/spec/policies/1/spec/mode", false),
    ] {
        let place = json!({"pointer": pointer, "written": written});
        assert!(found.contains(&&place), "{pointer} in {found:?}");
    }
    assert_eq!(part(&page, "Decisions")["state"], "in force");
    assert!(gaps(part(&page, "Decisions")).contains("has ended"));
    let owner = json_of(&folder, "--policy b.json --caller spiffe://x/p --framework nist-ai-rmf");
    assert_eq!(
        part(entry(&owner, "GOVERN 2.1"), "The policy names")["by"][0]["places"],
        json!([{"pointer": "/spec/policies/1/spec/owner", "written": true}])
    );
    let nobody = json_of(&folder, "--policy b.json");
    assert_eq!((&nobody["policy"], &nobody["covered"]), (&json!("floor"), &json!(false)));
    let ran = folder.run("owasp --policy b.json", "");
    assert!(ran.out.contains("its requests are refused"), "{}", ran.out);
}

#[test]
fn broken_glass_covers_nothing_while_it_lasts() {
    let folder = Folder::new("owasp-glass");
    folder.file("b.json", LAYERS.replace("UNTIL", "2120-01-01T00:00:00Z"));
    let page = json_of(&folder, "--policy b.json --caller spiffe://x/p");
    let mode = part(&page, "Decisions");
    assert_eq!(mode["state"], "seen only");
    assert!(gaps(mode).contains("until 2120-01-01T00:00:00Z: broken glass, `INC-9`"), "{mode}");
    assert_eq!(entry(&page, "LLM02")["state"], "seen only");
    let other = json_of(&folder, "--policy b.json --caller spiffe://x/other");
    assert_eq!(entry(&other, "LLM02")["state"], "partly covered", "the glass is not theirs");
}

/// A plugin that is not pinned carries the policy; an assistant has no sidecar.
fn manifests(spec: &str) -> String {
    format!(
        "apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {{name: weir, namespace: weir-egress}}
spec:
  url: oci://registry.example.com/weir:1
  priority: -1000
  failStrategy: FAIL_RELOAD
  selector: {{matchLabels: {{app: gateway}}}}
  pluginConfig:
    apiVersion: guard.weir.dev/v1alpha1
    kind: Policy
    metadata: {{name: test}}
    spec: {{{spec}}}
---
kind: Deployment
metadata: {{name: gateway, namespace: weir-egress}}
spec: {{template: {{metadata: {{labels: {{app: gateway}}, annotations: {{inject.istio.io/templates: gateway}}}}}}}}
---
kind: Deployment
metadata: {{name: assistant, namespace: apps}}
spec: {{template: {{metadata: {{labels: {{app: a}}, annotations: {{sidecar.istio.io/inject: \"false\"}}}}}}}}
"
    )
}

#[test]
fn what_the_doctor_finds_is_joined() {
    let folder = Folder::new("owasp-mesh");
    folder.file("p.yaml", policy(&format!("{{{PACKS}}}")));
    folder.file("mesh.yaml", manifests(PACKS));
    let page = json_of(&folder, "--policy p.yaml --manifests mesh.yaml");
    let same = json!({"plugin": "WasmPlugin weir-egress/weir", "carries": {"same": true}});
    assert_eq!(page["mesh"]["plugins"], json!([same]));
    let findings = page["mesh"]["findings"].as_array().unwrap();
    let of = |topic: &str| findings.iter().filter(|f| f["topic"] == topic).count();
    assert_eq!(of("Module"), 1, "{findings:?}");
    assert!(of("Around") > 0, "{findings:?}");
    let instead = |id: &str, topic: &str| {
        let list = entry(&page, id)["instead"].as_array().unwrap();
        list.iter().find(|i| i["topic"] == topic).unwrap()["findings"].clone()
    };
    assert_eq!(instead("LLM03", "Module"), of("Module"));
    assert_eq!(instead("LLM02", "Around"), of("Around"));
    let ran = folder.run("owasp --policy p.yaml --manifests mesh.yaml", "");
    let doctor = folder.run("doctor mesh.yaml", "").out;
    for line in doctor.lines() {
        assert!(ran.out.contains(line), "{line} in {}", ran.out);
    }
    assert!(ran.out.contains("weir-egress/weir carries this document."), "{}", ran.out);

    folder.file("mesh.yaml", manifests("packs: [{name: secrets}]"));
    let ran = folder.run("owasp --policy p.yaml --manifests mesh.yaml", "");
    assert!(ran.out.contains("carries another document"), "{}", ran.out);
    folder.file("mesh.yaml", "kind: Service\nmetadata: {name: s}\n");
    let ran = folder.run("owasp --policy p.yaml --manifests mesh.yaml", "");
    assert!(ran.exit == 0 && ran.out.contains("No plugin of Weir's"), "{}", ran.out);
}

#[test]
fn what_cannot_be_judged() {
    let folder = Folder::new("owasp-bad");
    folder.file("bad.yaml", policy("{mode: Bogus}"));
    folder.file("torn.yaml", "a: [1\n");
    for (arguments, exit, words) in [
        ("owasp --policy bad.yaml", 1, "bad.yaml:4:8: "),
        ("owasp --policy missing.yaml", 2, "missing.yaml"),
        ("owasp --manifests missing.yaml", 2, "missing.yaml"),
        ("owasp --manifests torn.yaml", 2, "torn.yaml"),
        ("owasp --framework other", 2, "nist-ai-rmf"),
    ] {
        let ran = folder.run(arguments, "");
        assert_eq!((ran.exit, ran.out.as_str()), (exit, ""), "{arguments}");
        assert!(ran.err.contains(words), "{arguments}: {}", ran.err);
    }
}
