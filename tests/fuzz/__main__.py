"""Coverage-guided fuzzing with atheris: ``make fuzz``, or ``python -m tests.fuzz --seconds 20``.

Ends with 1, and the input in a file, at the first exception, hang or gigabyte of memory.
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["stream"]):
    from stream.domain import calendar
    from tests.fuzz.checks import check_decoder, check_engine, check_state
    from tests.fuzz.seeds import LINES, changelog
    from tests.fuzz.splitting import joined, split

HANG_SECONDS = 10
MEMORY_MIB = 2048
MAX_LENGTH = 4096
CACHE = Path(__file__).parents[2] / ".cache" / "fuzz"


def _check_records(parts: list[bytes]) -> None:
    check_state(dict(zip(parts[::2], parts[1::2], strict=False)))


#: An input's first byte says whom the rest is for.
CHECKS = (check_decoder, check_engine, _check_records)


def check(data: bytes) -> None:
    """Give the input to its check."""
    if data:
        CHECKS[data[0] % len(CHECKS)](split(data[1:]))


def main() -> None:
    """Fuzz until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument(
        "--folder", type=Path, default=CACHE, help="where inputs are kept, and bad ones put"
    )
    args = parser.parse_args()
    # Every input makes engines, and reading a time zone's rules takes 0.1 s.
    calendar._utc_offsets = functools.cache(calendar._utc_offsets)
    corpus = args.folder / "corpus"
    _write_seeds(corpus)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={args.seconds}",
            f"-timeout={HANG_SECONDS}",
            f"-rss_limit_mb={MEMORY_MIB}",
            f"-max_len={MAX_LENGTH}",
            f"-artifact_prefix={args.folder}/",
            "-print_final_stats=1",
            "-verbosity=0",
            str(corpus),
        ],
        check,
    )
    atheris.Fuzz()


def _write_seeds(corpus: Path) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    state = [part for record in changelog().items() for part in record]
    seeds = [[line] for line in LINES] + [LINES, state]
    for number, seed in enumerate(seeds):
        for target in range(len(CHECKS)):
            (corpus / f"seed-{target}-{number}").write_bytes(bytes([target]) + joined(seed))


if __name__ == "__main__":
    main()
