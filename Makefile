# `make help` lists the targets.
SHELL := /bin/bash
CACHE := $(if $(SMT_CACHE),$(SMT_CACHE),$(HOME)/.cache/smt-host)
export PATH := $(CACHE)/bin:$(PATH)
CUSTOMERS ?= 500

.PHONY: help setup build plugins demo lint test image-steps bench
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

setup: ## installs what the machine lacks; says each step, skips what is there
	@bash setup.sh

build: setup ## target/release/smt-host
	cargo build --release -p smt-host

plugins: setup ## target/plugins/*.wasm
	bash plugins/build.sh

demo: build plugins ## the workshop from one command: database to filtered and counted topics
	target/release/smt-host demo --customers $(CUSTOMERS)

lint: setup ## formatting, lints, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo deny check bans licenses sources

test: lint plugins ## everything that has to hold
	@# Together: the tests run the binary, and building it alone would compile every dependency a second time.
	cargo build --workspace --bins --tests
	cargo test --workspace

image-steps: ## the steps of host/Dockerfile without Docker, in a Debian root of its own (root, apt; half an hour)
	setup/image-steps.sh host/Dockerfile

bench: build plugins ## what sandbox and host cost, as ratios (minutes; BENCH="sandbox load latency windows sinks" chooses)
	cargo bench -q -p smt-tests --bench smt -- $(BENCH)
	cargo run -q --release -p smt-host --example restore
