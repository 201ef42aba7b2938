from collections.abc import Buffer, Sequence

class EventReader:
    def __init__(
        self, dimensions: Sequence[str], currencies: Sequence[tuple[str, int, int]]
    ) -> None: ...
    def read(
        self, values: list[bytes | None], entries: Buffer
    ) -> tuple[list[int], list[bytes], list[list[str]]]: ...

def read_records(
    batch: Buffer, records: Buffer, from_offset: int
) -> tuple[bytes, list[bytes | None], list[bytes | None], bytes]: ...
def read_headers(records: Buffer, at: int) -> list[tuple[str, bytes | None]]: ...
def scatter_i32(
    pages: Buffer,
    directory: Buffer,
    stale: Buffer,
    width: int,
    first_block: int,
    bases: Buffer,
    orders: int,
    terms: Sequence[tuple[int, Buffer | None, Buffer, int | Buffer]],
) -> tuple[bytes, bytes, bytes]: ...
def scatter_i64(
    pages: Buffer,
    directory: Buffer,
    stale: Buffer,
    width: int,
    first_block: int,
    bases: Buffer,
    orders: int,
    terms: Sequence[tuple[int, Buffer | None, Buffer, int | Buffer]],
) -> tuple[bytes, bytes, bytes]: ...
