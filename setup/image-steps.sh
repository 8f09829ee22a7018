#!/usr/bin/env bash
# Runs the steps of a Dockerfile without Docker: each stage is a minimal Debian root of the release it names, made by
# mmdebstrap, and each RUN happens in that root. At the end the image's program runs as the image's user. What is not
# Docker's: the bases are today's Debian rather than the tag's, and networks and processes are this machine's.
#   setup/image-steps.sh [DOCKERFILE]
# Needs root, apt and the package mirrors. IMAGE_STEPS_DIR [target/image-steps] holds the roots; nothing stays mounted.
set -euo pipefail
cd "$(dirname "$0")/.."

# A mount namespace of its own: whatever is mounted goes away with the script, however it ends.
if [ -z "${IMAGE_STEPS_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo 'image-steps: needs root, for chroot and mounts' >&2; exit 1; }
    IMAGE_STEPS_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi

DOCKERFILE=${1:-host/Dockerfile}
WORK=$(realpath -m "${IMAGE_STEPS_DIR:-target/image-steps}")

say() { printf 'image-steps: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

command -v mmdebstrap >/dev/null || {
    say 'installing mmdebstrap'
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends mmdebstrap >/dev/null
}

# The stages' roots by name, and what the stage at hand has: set by FROM, changed by the instructions after it.
declare -A ROOTS
ROOT='' CWD=/ RUN_AS=0 ENTRY='' COMMAND='' BASE_KB=0
declare -a VARIABLES=()

# The bases' names say the release: debian:12.11-slim and rust:1.95.0-slim-bookworm are both bookworm.
release_of() {
    case $1 in
        *bookworm* | debian:12*) echo bookworm ;;
        *trixie* | debian:13*) echo trixie ;;
        *) fail "FROM $1: no Debian release is known for it" ;;
    esac
}

# A root like debian:*-slim, and in rust:*-slim also the compiler, by rustup, where the image has it.
from() {
    local image=$1 name=${3:-final} rust=''
    [[ $image = rust:* ]] && rust=$(sed -E 's/^rust:([0-9.]+)-.*/\1/' <<<"$image")
    ROOT=$WORK/$name CWD=/ RUN_AS=0 ENTRY='' COMMAND=''
    VARIABLES=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
    ROOTS[$name]=$ROOT
    say "FROM $image: Debian $(release_of "$image") in $ROOT"
    rm -rf "$ROOT"
    mmdebstrap --quiet --variant=minbase ${rust:+--include=ca-certificates,gcc,libc6-dev} \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' "$(release_of "$image")" "$ROOT"
    cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
    mount -t proc proc "$ROOT/proc"
    for device in null zero random urandom; do
        touch "$ROOT/dev/$device"
        mount --bind "/dev/$device" "$ROOT/dev/$device"
    done
    BASE_KB=$(size_kb)
    [ -z "$rust" ] || rust_like_the_image "$rust"
}

rust_like_the_image() {
    local version=$1
    # For networks with certificates of their own.
    if cp /usr/local/share/ca-certificates/*.crt "$ROOT/usr/local/share/ca-certificates/" 2>/dev/null; then
        chroot "$ROOT" update-ca-certificates >/dev/null 2>&1
    fi
    VARIABLES=(PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo "RUST_VERSION=$version")
    mkdir -p "$ROOT/usr/local/cargo/bin"
    cp "$(command -v rustup)" "$ROOT/usr/local/cargo/bin/rustup"
    for proxy in cargo rustc rustdoc; do ln -s rustup "$ROOT/usr/local/cargo/bin/$proxy"; done
    run "rustup toolchain install $version --profile minimal --no-self-update && rustup default $version"
}

# A command line, after the caches that it wants: these are kept from one run to the next, as Docker does.
run() {
    local line=$1 target
    while [[ $line = --mount=* ]]; do
        target=$(sed -nE 's/^--mount=type=cache,target=([^, ]+).*/\1/p' <<<"$line")
        [ -n "$target" ] || fail "RUN $line: this mount is not known here"
        line=${line#* }
        line=${line#"${line%%[! ]*}"}
        mkdir -p "$WORK/cache$target" "$ROOT$target"
        mountpoint -q "$ROOT$target" || mount --bind "$WORK/cache$target" "$ROOT$target"
    done
    inside sh -c "$line"
}

# A command in the stage's root, as its user, in its folder, with its variables and no others.
inside() {
    local home
    home=$(awk -F: -v user="$RUN_AS" '$3 == user { print $6 }' "$ROOT/etc/passwd")
    chroot --userspec="$RUN_AS:$(awk -F: -v user="$RUN_AS" '$3 == user { print $4 }' "$ROOT/etc/passwd")" "$ROOT" \
        env -i "HOME=${home:-/}" "${VARIABLES[@]}" sh -c 'cd "$1" && shift && exec "$@"' sh "$CWD" "$@"
}

# A folder's contents go into the destination, a file into it or, without a slash at its end, to that name.
copy() {
    local from=. words=("$@") ignore
    # What .dockerignore names, at the top only, never reaches a build.
    mapfile -t ignore < <(echo --anchored && sed 's:^:--exclude=./:' .dockerignore)
    if [[ ${words[0]} = --from=* ]]; then
        from=${ROOTS[${words[0]#--from=}]:-} ignore=()
        [ -n "$from" ] || fail "COPY $*: no such stage"
        words=("${words[@]:1}")
    fi
    local to=${words[-1]}
    unset 'words[-1]'
    [[ $to = /* ]] || to=$CWD/$to
    if [[ $to = */ || $to = */. || ${#words[@]} -gt 1 ]]; then mkdir -p "$ROOT$to"; fi
    for path in "${words[@]}"; do
        [ -e "$from/$path" ] || fail "COPY: $from/$path is not there"
        if [ -d "$from/$path" ]; then
            mkdir -p "$ROOT$to"
            tar -C "$from" "${ignore[@]}" -c "./$path" |
                tar -C "$ROOT$to" --no-same-owner --strip-components=$((1 + $(wc -w <<<"${path//\// }"))) -x
        else
            mkdir -p "$(dirname "$ROOT$to")"
            cp --preserve=mode "$from/$path" "$ROOT$to"
        fi
    done
}

# Without apt's caches, which Docker's base images do not keep.
size_kb() { du -skx --exclude="$ROOT/proc" --exclude="$ROOT/var/cache/apt" --exclude="$ROOT/var/lib/apt" "$ROOT" | cut -f1; }

# One instruction: its word and the rest of its line.
step() {
    local word=$1 rest=$2
    case $word in
        FROM | COPY | WORKDIR | USER) read -ra words <<<"$rest" ;;
    esac
    say "$word $rest"
    case $word in
        FROM) from "${words[@]}" ;;
        RUN) run "$rest" ;;
        COPY) copy "${words[@]}" ;;
        WORKDIR)
            CWD=$rest
            mkdir -p "$ROOT$CWD"
            ;;
        USER) RUN_AS=$rest ;;
        ENV) VARIABLES+=("$rest") ;;
        ENTRYPOINT) ENTRY=$rest ;;
        CMD) COMMAND=$rest ;;
        *) fail "$DOCKERFILE: $word is not known here" ;;
    esac
}

mkdir -p "$WORK"
started=$SECONDS
# Comments left out, continued lines joined.
while read -r word rest; do step "$word" "$rest" </dev/null; done \
    < <(sed -e '/^#/d' -e '/^$/d' "$DOCKERFILE" | sed -e ':more' -e '/\\$/{N;s/\\\n/ /;b more' -e '}')

words_of() { python3 -c 'import json, sys; print(*json.loads(sys.argv[1]), sep="\n")' "$1"; }
mapfile -t entry < <(words_of "$ENTRY")
mapfile -t command < <(words_of "$COMMAND")
say "what the image runs, as user $RUN_AS in $CWD: ${entry[*]} ${command[*]}"
[ "$RUN_AS" != 0 ] || fail 'the image runs as root'
inside "${entry[@]}" --version
inside "${entry[@]}" --help >/dev/null
inside "${entry[@]}" "${command[@]}" --print-config
missing=$(inside sh -c 'ldd "$(command -v "$0")"' "${entry[0]}" | grep 'not found') && fail "libraries are missing: $missing"
inside sh -c 'for dir in "$HOME" "$SMT_STATE_DIR"; do touch "$dir/.written" && rm "$dir/.written" || exit 1; done'
say 'plugins:'
find "$ROOT" -xdev -name '*.wasm' -printf '  /%P %s bytes\n'
say "size: $(($(size_kb) / 1024)) MiB, $((($(size_kb) - BASE_KB) / 1024)) MiB of it on top of the base; $((SECONDS - started)) s"
