//! The hot path's inner loops. What each must do is said, and done, by its reference in Python:
//! `stream/wire/event_json.py`, `stream/wire/partitioning.py`, `stream/wire/record_bodies.py`,
//! `stream/wire/stage_events.py`, `stream/domain` and aiokafka's own record reader.

mod bodies;
mod book;
mod cursor;
mod entry;
mod events;
mod fields;
mod keys;
mod latest;
mod ledger;
mod lifecycle;
mod merge;
mod numbers;
mod paged;
mod partitions;
mod places;
mod records;
mod scratch;
mod stage_events;
mod stages;
mod terms;
mod texts;
mod timeline;
mod times;

use pyo3::prelude::*;

#[pymodule]
fn _compiled(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<events::EventReader>()?;
    module.add_function(wrap_pyfunction!(bodies::record_bodies, module)?)?;
    module.add_function(wrap_pyfunction!(partitions::home_partitions, module)?)?;
    module.add_function(wrap_pyfunction!(records::read_records, module)?)?;
    module.add_function(wrap_pyfunction!(records::read_headers, module)?)?;
    module.add_class::<book::Merge>()?;
    module.add_class::<book::TallyBook>()?;
    module.add_class::<keys::KeyTable>()?;
    module.add_class::<latest::LatestRecords>()?;
    module.add_class::<ledger::Ledger>()?;
    module.add_class::<paged::PagedArray>()?;
    module.add_class::<stages::Lifecycle>()?;
    module.add_class::<places::Places>()?;
    module.add_function(wrap_pyfunction!(book::carried_codes, module)?)?;
    module.add_function(wrap_pyfunction!(book::merge_events, module)?)?;
    module.add_function(wrap_pyfunction!(stage_events::stage_events, module)?)?;
    module.add("PanicException", module.py().get_type::<pyo3::panic::PanicException>())?;
    Ok(())
}
