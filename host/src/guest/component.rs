//! From a file's bytes to a component. It never compiles or runs anything.

use std::borrow::Cow;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

/// What is wrong with the file, and what to do.
pub(super) type Refusal = (String, &'static str);

/// A core module becomes a component by what its `component-type` section says.
pub(super) fn component(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    const NOT_BUILT: &str = "give the .wasm file that the plugin's build made";
    if bytes.is_empty() {
        return Err(("is empty".to_owned(), NOT_BUILT));
    }
    if wasmparser::Parser::is_component(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    if !wasmparser::Parser::is_core_wasm(bytes) {
        let what = format!("is not a WASM file: its {} bytes do not begin like one", bytes.len());
        return Err((what, NOT_BUILT));
    }
    // The encoder takes a valid module for granted, and panics on one that was cut off.
    wasmparser::validate(bytes)
        .map_err(|e| (format!("is not valid WASM: {e}"), "build it again; the file may have been cut off"))?;
    if !has_component_type(bytes) {
        let what = "is a core module without a component-type section, which would tell what it is";
        return Err((
            what.to_owned(),
            "build with the plugin SDK, or make a component of it with the tools of its language",
        ));
    }
    // The adapter turns WASI preview 1, which a wasm32-wasip1 module imports, into preview 2; where nothing imports it,
    // the encoder leaves it out.
    let (name, adapter) = (WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER);
    let encoder = ComponentEncoder::default().validate(true).module(bytes).and_then(|e| e.adapter(name, adapter));
    encoder.and_then(|mut e| e.encode()).map(Cow::Owned).map_err(|e| {
        let hint = "build with the plugin SDK for wasm32-unknown-unknown, wasm32-wasip1 or wasm32-wasip2";
        (format!("is a core module that cannot become a component: {e:#}"), hint)
    })
}

fn has_component_type(module: &[u8]) -> bool {
    wasmparser::Parser::new(0).parse_all(module).any(|payload| {
        matches!(payload, Ok(wasmparser::Payload::CustomSection(section)) if section.name().starts_with("component-type"))
    })
}
