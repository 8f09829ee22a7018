//! What wit-bindgen makes of the contract: its types, the `host` import and the export macro.
//!
//! The only module with `unsafe`: lifting and lowering at the component boundary is generated from raw pointers.
#![allow(unsafe_code, unreachable_pub, clippy::all, clippy::unwrap_used, missing_docs)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "transform",
    pub_export_macro: true,
    export_macro_name: "export_plugin",
    default_bindings_module: "smt_plugin::bindings",
});

pub use exports::smt::plugin::{setup, transformer};
pub use smt::plugin::{host, types};
