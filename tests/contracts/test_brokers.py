"""What the program takes for granted of a broker, held against the embedded and the real one."""

from __future__ import annotations

import uuid

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

PARTITIONS = 3


def test_records_of_a_partition_come_back_in_order_with_key_value_and_headers(
    broker_address: str,
) -> None:
    topic = f"order-{uuid.uuid4()}"
    admin = KafkaAdminClient(bootstrap_servers=broker_address)
    producer = KafkaProducer(bootstrap_servers=broker_address, acks="all")
    consumer = KafkaConsumer(
        bootstrap_servers=broker_address,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
    )
    try:
        admin.create_topics(
            {topic: {"num_partitions": PARTITIONS, "replication_factor": 1}},
            wait_for_metadata=True,
        )
        for number in range(100):
            producer.send(
                topic, key=b"a", value=b"%d" % number, headers=[("n", b"%d" % number)], partition=2
            )
        producer.flush()
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        records = [next(consumer) for _ in range(100)]
    finally:
        admin.close()
        producer.close()
        consumer.close()

    assert [(r.partition, r.offset, r.key, r.value, r.headers) for r in records] == [
        (2, number, b"a", b"%d" % number, [("n", b"%d" % number)]) for number in range(100)
    ]
