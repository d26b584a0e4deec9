//! Zones that are signed, soundly and not.
