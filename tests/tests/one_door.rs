//! Invariant `one-door`: the proxy is named in two files only.

use std::path::Path;

#[test]
fn the_proxy_is_named_in_two_files() {
    let mut naming = Vec::new();
    for root in ["../filter/src", "../rules/src", "../cli/src"] {
        let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(root)];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                if text.contains("proxy_wasm::") || text.contains("fn proxy_") {
                    naming.push(path.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
        }
    }
    naming.sort();
    assert_eq!(naming, ["hostcalls.rs", "shim.rs"]);
}
