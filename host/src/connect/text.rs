//! Text from bytes, as Java decodes UTF-8.
