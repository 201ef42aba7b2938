"""What stock Faust counts after one ``kill -9``: ``python -m tests.benchmarks.stock_faust``.

Two workers of the app in ``stock_faust_app`` count 12,000 events on Apache Kafka while these
arrive; in the middle one worker is killed. When the other has committed everything, the counts
in the table's changelog are added up.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
import uuid
import warnings
from contextlib import ExitStack
from pathlib import Path

warnings.filterwarnings("ignore", category=DeprecationWarning)

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition  # noqa: E402
from rich.progress import Progress  # noqa: E402

from stream.tools.child_process import ChildProcess  # noqa: E402
from tests.support.kafka_server import KafkaServer  # noqa: E402

EVENTS = 12_000
CUSTOMERS = 300
PARTITIONS = 4
SENDING_SECONDS = 20.0
#: Faust's session timeout is 60 s; recovery and the rest come after it.
SETTLE_SECONDS = 300.0


def main() -> None:
    """Print what was sent and what was counted, run by run."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.stock_faust")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with (
        Progress() as progress,
        tempfile.TemporaryDirectory() as folder,
        KafkaServer(Path(folder) / "kafka") as kafka,
    ):
        for run in progress.track(range(args.runs), description="runs of two minutes"):
            counted = measure(kafka.address, Path(folder) / str(run))
            progress.console.print(f"sent {EVENTS:,}, counted {counted:,}")


def measure(broker: str, folder: Path) -> int:
    """One run; the sum of all counts at its end."""
    name = f"stock-{uuid.uuid4().hex[:6]}"
    topic, changelog = f"{name}-orders", f"{name}-counts-changelog"
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.create_topics({topic: {"num_partitions": PARTITIONS}})
    admin.wait_for_topics([topic])
    admin.close()
    with ExitStack() as stack:
        workers = []
        for number in range(2):
            own = folder / str(number)
            own.mkdir(parents=True)
            command = ["-m", "tests.benchmarks.stock_faust_app", broker, name, topic, str(own)]
            worker = ChildProcess("faust", [sys.executable, *command], own / "worker.log")
            stack.callback(worker.stop)
            workers.append(worker)
        consumer = KafkaConsumer(bootstrap_servers=broker, group_id=name, enable_auto_commit=False)
        stack.callback(consumer.close)
        _await_both(workers)
        _send(broker, topic, victim=workers[1])
        _await_committed(consumer, topic)
        return _sum_of_counts(consumer, changelog)


def _await_both(workers: list[ChildProcess]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not all("Worker ready" in worker.log_path.read_text() for worker in workers):
        if time.monotonic() > deadline:
            raise RuntimeError("the workers did not get ready: " + workers[0].last_lines(1)[0])
        time.sleep(0.2)
    # They say so before the second has got its share.
    time.sleep(15.0)


def _send(broker: str, topic: str, victim: ChildProcess) -> None:
    producer = KafkaProducer(bootstrap_servers=broker, acks="all")
    for number in range(EVENTS):
        producer.send(topic, b'"order"', b"customer-%d" % (number % CUSTOMERS))
        if number == EVENTS // 2:
            victim.stop(signal.SIGKILL)
        if number % 60 == 0:
            time.sleep(SENDING_SECONDS * 60 / EVENTS)
    producer.flush()
    producer.close()


def _await_committed(consumer: KafkaConsumer, topic: str) -> None:
    partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    deadline = time.monotonic() + SETTLE_SECONDS
    while any(
        (consumer.committed(tp) or 0) < end for tp, end in consumer.end_offsets(partitions).items()
    ):
        if time.monotonic() > deadline:
            raise RuntimeError("not everything was committed")
        time.sleep(0.5)
    # Its changelog is not flushed with the offsets.
    time.sleep(10.0)


def _sum_of_counts(consumer: KafkaConsumer, changelog: str) -> int:
    partitions = [TopicPartition(changelog, partition) for partition in range(PARTITIONS)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    counts: dict[bytes, int] = {}
    while any(consumer.position(tp) < end for tp, end in ends.items()):
        for records in consumer.poll(timeout_ms=200).values():
            counts.update((record.key, int(record.value)) for record in records)
    return sum(counts.values())


if __name__ == "__main__":
    main()
