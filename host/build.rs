//! Lists the SDK's sources for `smt-host workshop`, which lays a copy of them out. It never changes anything.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let mut found = Vec::new();
    for dir in ["plugins/sdk/src", "plugins/sdk-macros/src", "wit"] {
        println!("cargo::rerun-if-changed=../{dir}");
        walk(&root.join(dir), &mut found)?;
    }
    found.sort();
    let mut list = String::from("&[\n");
    for path in found {
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        // Writing to a string cannot fail.
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string()).ok();
    }
    list.push_str("]\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("sdk.rs"), list)
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
