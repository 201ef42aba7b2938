//! One customer's entries with new events put in: `merge` of `stream/domain/entries.py`, compiled.

#![expect(
    clippy::indexing_slicing,
    reason = "places are the kernel's own; a wrong one is a bug, whose panic ends the worker"
)]

use crate::entry::{
    entries, set_kind_and_flags, Entry, CANCELLATION, CANCELLED, ORDER, PLACED, SIGNUP,
};

/// Events as entries, in order of arrival; cancellations with the kind CANCELLATION.
#[derive(Clone, Copy)]
pub struct Events<'a> {
    pub bytes: &'a [u8],
    /// Bytes of an entry.
    pub size: usize,
}

impl<'a> Events<'a> {
    pub fn len(self) -> usize {
        self.bytes.len() / self.size
    }

    pub fn at(self, place: usize) -> Entry<'a> {
        Entry(&self.bytes[place * self.size..(place + 1) * self.size])
    }
}

/// Put some events into a customer's entries, one after the other.
///
/// Appends to `out` the entries as they are afterwards, but for those at the beginning that
/// stay as they were; sets `duplicates` at the places of events that said nothing new. Returns
/// the bytes that stay as they were.
pub fn merge(
    old: &[u8],
    events: Events<'_>,
    places: &[usize],
    out: &mut Vec<u8>,
    duplicates: &mut [u8],
) -> usize {
    let mut merger = Merger { size: events.size, old, begin: out.len(), same: old.len(), out };
    for place in places {
        if !merger.put(events.at(*place)) {
            duplicates[*place] = 1;
        }
    }
    merger.same
}

/// The entries so far: of `old` what stays the same, then those in `out` from `begin` on.
struct Merger<'a, 'b> {
    size: usize,
    old: &'a [u8],
    same: usize,
    out: &'b mut Vec<u8>,
    begin: usize,
}

impl Merger<'_, '_> {
    /// Put one event in; false when it says nothing new.
    fn put(&mut self, event: Entry<'_>) -> bool {
        let known = self.find(event);
        if event.kind() != ORDER && event.kind() != CANCELLATION {
            if known.is_none() {
                self.insert(event, event.kind(), 0);
            }
            return known.is_none();
        }
        let says = if event.kind() == ORDER { PLACED } else { CANCELLED };
        let flags = known.map_or(0, |at| self.entry(at).flags());
        if flags & says != 0 {
            return false;
        }
        match known {
            Some(at) if says == CANCELLED => {
                let at = self.own(at);
                set_kind_and_flags(&mut self.out[at..at + self.size], ORDER, flags | says);
            }
            Some(at) => {
                // A cancellation waited for its order, which stands where it was placed.
                let at = self.own(at);
                self.out.drain(at..at + self.size);
                self.insert(event, ORDER, flags | says);
            }
            None => self.insert(event, ORDER, says),
        }
        true
    }

    /// Where the entry begins that the event is of, or repeats.
    fn find(&self, event: Entry<'_>) -> Option<usize> {
        let kind = if event.kind() == CANCELLATION { ORDER } else { event.kind() };
        let is_it = |entry: Entry<'_>| {
            entry.id_hash() == event.id_hash()
                && entry.kind() == kind
                // Signups have no id.
                && (kind != SIGNUP
                    || (entry.time_ms() == event.time_ms() && entry.values() == event.values()))
        };
        let kept = entries(&self.old[..self.same], self.size).position(is_it);
        kept.map(|place| place * self.size).or_else(|| {
            let place = entries(&self.out[self.begin..], self.size).position(is_it)?;
            Some(self.same + place * self.size)
        })
    }

    fn entry(&self, at: usize) -> Entry<'_> {
        match at.checked_sub(self.same) {
            None => Entry(&self.old[at..at + self.size]),
            Some(at) => Entry(&self.out[self.begin + at..self.begin + at + self.size]),
        }
    }

    /// Have all entries from one on in `out`; where there that one begins.
    fn own(&mut self, at: usize) -> usize {
        if at < self.same {
            self.out.splice(self.begin..self.begin, self.old[at..self.same].iter().copied());
            self.same = at;
        }
        self.begin + at - self.same
    }

    /// Insert an event after all that stand before it or came before it.
    fn insert(&mut self, event: Entry<'_>, kind: u8, flags: u8) {
        let rank = (event.time_ms(), kind);
        let mut at = self.same + self.out.len() - self.begin;
        while at > 0 && self.entry(at - self.size).rank() > rank {
            at -= self.size;
        }
        let at = self.own(at);
        self.out.splice(at..at, event.0.iter().copied());
        set_kind_and_flags(&mut self.out[at..at + self.size], kind, flags);
    }
}
