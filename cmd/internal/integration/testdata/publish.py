"""Publishes two years of days to a topic that it creates, partitioned as kafka-python
does it by default; among them are days that come twice and records that can't be
counted.

    publish.py BOOTSTRAP TOPIC COMPRESSION

Prints as JSON how many records it published, how many days, and where what
can't be counted went: {partition: {offset: value in hexadecimal}}."""

import datetime
import json
import math
import struct
import sys

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

import report_pb2
from topic import MONTHS

GOOD = report_pb2.Report(date="1991-06-01", degrees=70.5).SerializeToString()
BAD = [
    ("no protobuf", "June", b"\xff\xfe garbage"),
    ("a protobuf that is cut short", "June", GOOD[:-1]),
    ("not UTF-8", "June", b"\x0a\x02\xff\xff"),
    ("no value", "June", None),
    ("an empty value", "June", b""),
    ("another month's key", "July", GOOD),
    ("a key in lower case", "june", GOOD),
    ("no key", None, GOOD),
    ("no date", "June", report_pb2.Report(degrees=70.5).SerializeToString()),
    ("a day that does not exist", "June", report_pb2.Report(date="1991-06-31", degrees=1).SerializeToString()),
    ("another notation", "June", report_pb2.Report(date="1991-6-1", degrees=1).SerializeToString()),
    ("not a number", "June", report_pb2.Report(date="1991-06-30", degrees=math.nan).SerializeToString()),
    ("infinite", "June", report_pb2.Report(date="1991-06-30", degrees=-math.inf).SerializeToString()),
    ("a sum would overflow", "June", report_pb2.Report(date="1991-06-30", degrees=1e308).SerializeToString()),
]


def days():
    """Yields keys and values: 1990 and 1991, every seventh day twice."""
    for n in range(730):
        date = datetime.date(1990, 1, 1) + datetime.timedelta(n)
        key = MONTHS[date.month - 1]
        degrees = 50 + 40 * math.sin(n / 58.1) + 0.1 * (n % 13)
        if n % 50 == 0:
            degrees = 0.0  # which protobuf leaves out
        value = report_pb2.Report(date=str(date), degrees=degrees).SerializeToString()
        if n % 3 == 0:  # fields in another order, and one that nobody knows
            value = b"\x1a\x02hi" + b"\x11" + struct.pack("<d", degrees) + b"\x0a\x0a" + str(date).encode()
        yield key, value
        if n % 7 == 0:
            yield key, report_pb2.Report(date=str(date), degrees=1000000).SerializeToString()


def main(bootstrap, topic, compression):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, num_partitions=4, replication_factor=1)])
    admin.close()
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        retries=10,  # a topic that was just created may refuse records for a moment
        max_in_flight_requests_per_connection=1,
        compression_type=None if compression == "none" else compression,
    )
    published, rejects = [], []
    for n, (key, value) in enumerate(days()):
        published.append(producer.send(topic, key=key.encode(), value=value))
        if n % 50 == 49 and n // 50 < len(BAD):
            _, key, value = BAD[n // 50]
            future = producer.send(topic, key=key and key.encode(), value=value)
            rejects.append((future, value))
    assert len(rejects) == len(BAD)
    producer.flush()
    where = {}
    for future, value in rejects:
        metadata = future.get(timeout=30)
        where.setdefault(metadata.partition, {})[metadata.offset] = (value or b"").hex()
    for future in published:
        future.get(timeout=30)
    producer.close()
    print(json.dumps({"records": len(published) + len(rejects), "days": 730, "rejects": where}))


if __name__ == "__main__":
    main(*sys.argv[1:])
