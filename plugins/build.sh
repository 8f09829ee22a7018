#!/bin/sh
# Builds the plugins for wasm32 into target/plugins/<name>.wasm. Idempotent; cargo decides what is to be done.
# Names as arguments: those alone, and nothing for tests.
set -eu
cd "$(dirname "$0")/.."
everything="jovens idadeclass idadecont faults faults-aggregate concat courier keyed"
plugins=${*:-$everything}
target=wasm32-unknown-unknown
remembered=target/wasm-std/.no-rustup-target

has_target() { rustup target list --installed 2>/dev/null | grep -qx "$1"; }

if has_target $target; then
    way="the target rustup has"
elif [ ! -e "$remembered" ] && timeout 60 rustup target add "$target" >/dev/null 2>&1 && has_target $target; then
    way="the target rustup has just fetched"
else
    way=debian
fi

# One crate type at a time: with an rlib beside the cdylib, cargo leaves link-time optimisation out.
build_all() {
    for plugin in $plugins; do
        "$1" rustc -q --locked --profile plugin --target "$target" -p "$plugin" --lib --crate-type cdylib $2
    done
}

if [ "$way" = debian ]; then
    way="Debian's rustc with a standard library built here (rustup could not fetch $target)"
    [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] || {
        echo "no $target: rustup cannot fetch it; on Debian: apt-get install rustc-web cargo-web rust-web-src" >&2
        exit 1
    }
    # Debian's compiler has no linker for wasm of its own; rustup's toolchain brings one.
    sysroot=$(rustc --print sysroot)
    linker=$(find "$sysroot/lib/rustlib" -name rust-lld | head -n 1)
    # A directory of its own: another compiler would invalidate everything in target/.
    out=target/wasm-std
    mkdir -p "$out"
    touch "$remembered" # So that the next run does not wait for the network again; remove it to retry.
    echo "plugins: $way"
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$linker" PATH="/usr/bin:$PATH"
    export RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$out"
    build_all /usr/bin/cargo -Zbuild-std=std,panic_abort
else
    out=target
    echo "plugins: $way"
    build_all cargo ""
fi

mkdir -p target/plugins
for plugin in $plugins; do
    built=$out/$target/plugin/$(echo "$plugin" | tr - _).wasm
    cmp -s "$built" "target/plugins/$plugin.wasm" || cp "$built" "target/plugins/$plugin.wasm"
    echo "target/plugins/$plugin.wasm $(wc -c <"target/plugins/$plugin.wasm") bytes"
done

[ $# = 0 ] || exit 0

# For the host's tests of WASI; nothing else needs these targets.
no_wasi=target/plugins/.no-wasi
rm -f "$no_wasi"
for wasi in wasip1 wasip2; do
    if ! has_target wasm32-$wasi && { [ -e "$remembered" ] || ! timeout 60 rustup target add wasm32-$wasi >/dev/null 2>&1; }; then
        echo "no target wasm32-$wasi: the tests of WASI are left out" | tee "$no_wasi"
        continue
    fi
    for plugin in jovens probe; do
        cargo rustc -q --locked --profile plugin --target wasm32-$wasi -p "$plugin" --lib --crate-type cdylib
        cp "target/wasm32-$wasi/plugin/$plugin.wasm" "target/plugins/$plugin-$wasi.wasm"
    done
done

# What each plugin carries of the SDK: a jump here is a dependency or a formatter that crept in.
size=$(wc -c <target/plugins/jovens.wasm)
[ "$size" -lt 60000 ] || {
    echo "jovens.wasm has $size bytes and must stay below 60000: what has the SDK gained?" >&2
    exit 1
}
