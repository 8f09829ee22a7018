//! Java HashMap order.
