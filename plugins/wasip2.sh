#!/bin/sh
# Builds a plugin for wasm32-wasip2 too, which needs nothing but its target: an author may use either.
set -eu
cd "$(dirname "$0")/.."
target=wasm32-wasip2

has_target() { rustup target list --installed 2>/dev/null | grep -qx "$target"; }
has_target || timeout 60 rustup target add "$target" >/dev/null 2>&1 || true
has_target || {
    echo "wasip2: skipped, since rustup cannot fetch $target"
    exit 0
}
cargo rustc -q --locked --profile plugin --target "$target" -p jovens --lib --crate-type cdylib
echo "wasip2: target/$target/plugin/jovens.wasm $(wc -c <"target/$target/plugin/jovens.wasm") bytes"
