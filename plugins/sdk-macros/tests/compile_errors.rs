//! What the compiler tells an author who errs. The texts stand beside the cases in `tests/ui`; after a change on
//! purpose, `TRYBUILD=overwrite cargo test -p smt-plugin-macros --test compile_errors` writes them anew.

#[test]
fn a_mistake_is_answered_with_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
