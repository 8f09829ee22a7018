//! The interface `aggregator` alone; the types are those of the parent module.

wit_bindgen::generate!({
    inline: "
        package smt:sdk;
        world aggregating {
            export smt:plugin/aggregator@1.0.0;
        }
    ",
    path: "../../wit",
    pub_export_macro: true,
    export_macro_name: "export_aggregator",
    default_bindings_module: "smt_plugin::bindings::aggregating",
    with: { "smt:plugin/types@1.0.0": crate::bindings::smt::plugin::types },
});
