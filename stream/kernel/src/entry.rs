//! The record of an entry, as `entry_type` in `stream/domain/entries.py` has it.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

// Kinds, in the order that breaks ties of time.
pub const ORDER: u8 = 0;
pub const SIGNUP: u8 = 1;
pub const RETURN: u8 = 2;
pub const GUEST_ORDER: u8 = 3;
/// Kind of an event, never of an entry.
pub const CANCELLATION: u8 = 4;

pub const PLACED: u8 = 1;
pub const CANCELLED: u8 = 2;

const UNITS_AT: usize = 24;
const CURRENCY_AT: usize = 28;
const KIND_AT: usize = 30;
const FLAGS_AT: usize = 31;
const VALUES_AT: usize = 32;

/// One entry's bytes.
#[derive(Clone, Copy)]
pub struct Entry<'a>(pub &'a [u8]);

impl<'a> Entry<'a> {
    #[inline]
    fn field<const N: usize>(self, at: usize) -> [u8; N] {
        self.0[at..at + N].try_into().expect("as long as it is")
    }

    #[inline]
    pub fn time_ms(self) -> i64 {
        i64::from_le_bytes(self.field(0))
    }

    #[inline]
    pub fn id_hash(self) -> u64 {
        u64::from_le_bytes(self.field(8))
    }

    #[inline]
    pub fn minor_units(self) -> i64 {
        i64::from_le_bytes(self.field(16))
    }

    #[inline]
    pub fn units(self) -> u32 {
        u32::from_le_bytes(self.field(UNITS_AT))
    }

    #[inline]
    pub fn currency(self) -> u16 {
        u16::from_le_bytes(self.field(CURRENCY_AT))
    }

    #[inline]
    pub fn kind(self) -> u8 {
        self.0[KIND_AT]
    }

    #[inline]
    pub fn flags(self) -> u8 {
        self.0[FLAGS_AT]
    }

    #[inline]
    pub fn values(self) -> &'a [u8] {
        &self.0[VALUES_AT..]
    }

    /// The code of the value it carried in a dimension; 0 = carried none.
    #[inline]
    pub fn value(self, dimension: usize) -> u16 {
        u16::from_le_bytes(self.field(VALUES_AT + 2 * dimension))
    }

    /// An order that counts for its customer.
    #[inline]
    pub fn is_live_order(self) -> bool {
        self.kind() == ORDER && self.flags() == PLACED
    }

    /// Says what segments its customer is in.
    #[inline]
    pub fn is_carrier(self) -> bool {
        self.is_live_order() || self.kind() == SIGNUP || self.kind() == GUEST_ORDER
    }

    /// What entries of a customer stand in order of, before arrival.
    #[inline]
    pub fn rank(self) -> (i64, u8) {
        (self.time_ms(), self.kind())
    }
}

/// Entries that stand one after the other.
pub fn entries(bytes: &[u8], size: usize) -> impl DoubleEndedIterator<Item = Entry<'_>> + Clone {
    bytes.chunks_exact(size).map(Entry)
}

pub fn set_kind_and_flags(entry: &mut [u8], kind: u8, flags: u8) {
    entry[KIND_AT] = kind;
    entry[FLAGS_AT] = flags;
}
