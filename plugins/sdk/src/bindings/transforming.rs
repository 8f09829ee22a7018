//! The interface `transformer` alone; the types are those of the parent module.

wit_bindgen::generate!({
    inline: "
        package smt:sdk;
        world transforming {
            export smt:plugin/transformer@1.0.0;
        }
    ",
    path: "../../wit",
    pub_export_macro: true,
    export_macro_name: "export_transformer",
    default_bindings_module: "smt_plugin::bindings::transforming",
    with: { "smt:plugin/types@1.0.0": crate::bindings::smt::plugin::types },
});
