"""A worker with the compiled kernel and one without, as processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream import kernel
from tests.integration.stream_harness import Stream, purchases
from tests.integration.worker_harness import WORKER_COMMAND, Worker
from tests.support.kernels import NEEDS_KERNEL

if TYPE_CHECKING:
    from pathlib import Path

_HIDDEN = """
import sys

sys.modules["stream.kernel._compiled"] = None
from stream.cli import main

main(["worker"])
"""
WITHOUT = ("-c", _HIDDEN)


def test_a_worker_says_which_kernel_it_has(stream: Stream, tmp_path: Path) -> None:
    with Worker(stream.environ, tmp_path) as worker:
        worker.wait_until_serving()
        assert f"kernel: {kernel.ABOUT}" in worker.log
        assert 'kernel="' + kernel.NAME in worker.get("/metrics")[1]


@NEEDS_KERNEL
def test_with_and_without_the_kernel_a_worker_shows_the_same(
    stream: Stream, tmp_path: Path
) -> None:
    late = purchases(300)[::-1]
    stream.send(stream.settings.topic_purchases, [*purchases(300, first=300), *late])
    shown = []
    for number, command in enumerate((WORKER_COMMAND, WITHOUT)):
        environ = {**stream.environ, "RETENTION_APP_ID": f"{stream.settings.app_id}-{number}"}
        with Worker(environ, tmp_path, command=command) as worker:
            worker.wait_until_ready().wait_for_events(600)
            shown.append(worker.business())
            assert f'kernel="{("compiled", "python")[number]}"' in worker.get("/metrics")[1]
    assert shown[0]
    assert shown[0] == shown[1]


@pytest.fixture
def stream(broker_address: str) -> Stream:
    return Stream(broker_address)
