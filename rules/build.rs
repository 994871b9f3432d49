//! Compiles `packs/<family>/<rule>.yaml` to one JSON table without prose or examples, deflated, for the module.

use std::path::Path;
use std::{env, fs};

use miniz_oxide::deflate::compress_to_vec;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// Fields that people read and the engine does not.
const PROSE: [&str; 5] = ["description", "why", "references", "examples", "tags"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=packs");
    let mut files = Vec::new();
    if Path::new("packs").is_dir() {
        for family in fs::read_dir("packs")? {
            let family = family?.path();
            println!("cargo:rerun-if-changed={}", family.display());
            if family.is_dir() {
                for file in fs::read_dir(family)? {
                    files.push(file?.path());
                }
            }
        }
    }
    files.retain(|f| f.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    let mut table = Vec::new();
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let text = fs::read_to_string(&file)?;
        let documents =
            Yaml::load_from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
        let [document] = documents.as_slice() else {
            return Err(format!("{}: one document a file", file.display()).into());
        };
        let mut rule = json(document).map_err(|e| format!("{}: {e}", file.display()))?;
        if let Value::Object(fields) = &mut rule {
            fields.retain(|name, _| !PROSE.contains(&name.as_str()));
        }
        table.push(rule);
    }
    let table = serde_json::to_vec(&table)?;
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    fs::write(out.join("packs.size"), table.len().to_string())?;
    fs::write(out.join("packs.json.deflate"), compress_to_vec(&table, 10))?;
    Ok(())
}

fn json(node: &Yaml) -> Result<Value, String> {
    Ok(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(b)) => Value::Bool(*b),
        Yaml::Value(Scalar::Integer(n)) => Value::from(*n),
        Yaml::Value(Scalar::FloatingPoint(n)) => Value::from(n.into_inner()),
        Yaml::Value(Scalar::String(s)) => Value::from(s.as_ref()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Mapping(fields) => {
            let mut map = Map::new();
            for (key, value) in fields {
                let Yaml::Value(Scalar::String(key)) = key else {
                    return Err("a key is not a string".to_owned());
                };
                map.insert(key.to_string(), json(value)?);
            }
            Value::Object(map)
        }
        other => return Err(format!("unsupported YAML: {other:?}")),
    })
}
