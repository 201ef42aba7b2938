//! The hot path's inner loops. What each must do is said, and done, by its reference in Python:
//! `stream/wire/event_json.py`, `stream/wire/partitioning.py`, `stream/domain/paged.py` and aiokafka's
//! own record reader.

mod cursor;
mod events;
mod fields;
mod numbers;
mod partitions;
mod records;
mod scatter;
mod texts;
mod times;

use pyo3::prelude::*;

#[pymodule]
fn _compiled(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<events::EventReader>()?;
    module.add_function(wrap_pyfunction!(partitions::home_partitions, module)?)?;
    module.add_function(wrap_pyfunction!(records::read_records, module)?)?;
    module.add_function(wrap_pyfunction!(records::read_headers, module)?)?;
    module.add_function(wrap_pyfunction!(scatter::scatter, module)?)?;
    Ok(())
}
