//! Where keys belong: Kafka's murmur2 of customers' ids, as `stream/wire/partitioning.py` has it.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

const SEED: u32 = 0x9747_b28c;
const M: u32 = 0x5bd1_e995;
const POSITIVE: u32 = 0x7fff_ffff;

/// The partition of each customer's or guest order's key, as int64.
#[pyfunction]
pub fn home_partitions<'py>(
    py: Python<'py>,
    keys: &Bound<'py, PyList>,
    partitions: u32,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut homes = Vec::with_capacity(keys.len() * size_of::<i64>());
    for key in keys.iter() {
        let hash = murmur2(routing_id(key.cast::<PyBytes>()?.as_bytes())) & POSITIVE;
        homes.extend_from_slice(&i64::from(hash % partitions.max(1)).to_ne_bytes());
    }
    Ok(PyBytes::new(py, &homes))
}

/// What comes after the store; a guest's order has one NUL more.
fn routing_id(key: &[u8]) -> &[u8] {
    let after = key.iter().position(|byte| *byte == 0).map_or(0, |nul| nul + 1);
    let id = key.get(after..).unwrap_or(&[]);
    let nuls = id.iter().take_while(|byte| **byte == 0).count();
    id.get(nuls..).unwrap_or(&[])
}

fn murmur2(data: &[u8]) -> u32 {
    // As in Java, the length is taken modulo 2^32.
    #[expect(clippy::cast_possible_truncation, reason = "said above")]
    let mut hash = SEED ^ data.len() as u32;
    let words = data.chunks_exact(4);
    let rest = words.remainder();
    for word in words {
        let value = word.iter().rev().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        let mut value = value.wrapping_mul(M);
        value ^= value >> 24;
        hash = hash.wrapping_mul(M) ^ value.wrapping_mul(M);
    }
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}
