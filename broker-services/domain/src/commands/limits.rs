//! How long commands and what they name may be, and how much they may ask for.

/// The largest command, in bytes: 64 KiB, far beyond any that makes sense.
pub const MAX_COMMAND_BYTES: usize = 64 * 1024;

/// Longest name of an item, in characters.
pub const MAX_ITEM_NAME_CHARS: usize = 100;

/// Most units that one restock adds, and that a stock holds: beyond any warehouse, far from overflow.
pub const MAX_STOCK: u64 = 1_000_000_000_000;
