//! What wit-bindgen makes of the contract: its types, the `host` import and the export macros.
//!
//! Worlds are put together from their interfaces: both export `setup`, and its code can be generated only once a
//! crate. A plugin's file carries the world of each interface it exports; together they are the contract's.
//!
//! The only module with `unsafe`: lifting and lowering at the component boundary is generated from raw pointers.
#![allow(unsafe_code, unreachable_pub, clippy::all, clippy::unwrap_used, missing_docs)]

pub mod aggregating;
pub mod transforming;

wit_bindgen::generate!({
    inline: "
        package smt:sdk;
        world every-plugin {
            import smt:plugin/host@1.0.0;
            export smt:plugin/setup@1.0.0;
        }
    ",
    path: "../../wit",
    pub_export_macro: true,
    export_macro_name: "export_setup",
    default_bindings_module: "smt_plugin::bindings",
    generate_all,
});

pub use aggregating::exports::smt::plugin::aggregator;
pub use exports::smt::plugin::setup;
pub use smt::plugin::{host, types};
pub use transforming::exports::smt::plugin::transformer;

/// Exports a type as a plugin of the world `transform`.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_plugin {
    ($plugin:ident with_types_in $($bindings:tt)*) => {
        $($bindings)*::export_setup!($plugin with_types_in $($bindings)*);
        $($bindings)*::transforming::export_transformer!($plugin with_types_in $($bindings)*::transforming);
    };
}
pub use __export_plugin as export_plugin;

/// Exports a type as a plugin of the world `aggregate`.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_aggregate {
    ($plugin:ident with_types_in $($bindings:tt)*) => {
        $($bindings)*::export_setup!($plugin with_types_in $($bindings)*);
        $($bindings)*::aggregating::export_aggregator!($plugin with_types_in $($bindings)*::aggregating);
    };
}
pub use __export_aggregate as export_aggregate;
