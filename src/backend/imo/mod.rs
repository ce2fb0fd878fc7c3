//! The imo network.
