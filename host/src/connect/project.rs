//! Projection, as Connect's SchemaProjector: data of one schema as another version of it wants them.

use std::sync::Arc;

use super::{Datum, Reason, Schema};

/// The same data under another schema; what does not fit is said.
pub fn project(datum: &Datum, target: &Arc<Schema>) -> Result<Datum, Reason> {
    let _ = (datum, target);
    Err(Reason::record("not yet implemented"))
}
