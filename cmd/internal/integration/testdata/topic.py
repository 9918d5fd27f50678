"""Reads topics with kafka-python and values by hand: nothing here knows the
program whose work it checks."""

import calendar
import datetime
import math
import re
import struct
import sys

from kafka import KafkaConsumer, TopicPartition

MONTHS = list(calendar.month_name)[1:]


def read(bootstrap, topic):
    """Yields every record of a topic, from the beginning to the present end."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=10000,
    )
    partitions = [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    while any(consumer.position(p) < ends[p] for p in partitions):
        for records in consumer.poll(timeout_ms=1000).values():
            yield from records
    consumer.close()


def varint(data, at):
    n = shift = 0
    while True:
        if at == len(data) or shift > 63:
            raise ValueError("bad varint")
        byte = data[at]
        at += 1
        n |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return n, at


def decode(value):
    """Decodes the wire form of message Report {string date = 1; double degrees = 2}."""
    date, degrees, at = b"", 0.0, 0
    while at < len(value):
        tag, at = varint(value, at)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            _, at = varint(value, at)
            continue
        if wire == 2:
            size, at = varint(value, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError("wire type %d" % wire)
        if field == 0 or at + size > len(value):
            raise ValueError("cut short")
        content = value[at : at + size]
        at += size
        if (field, wire) == (1, 2):
            date = content
        elif (field, wire) == (2, 1):
            (degrees,) = struct.unpack("<d", content)
    return date.decode("utf-8"), degrees


def observation(key, value):
    """Returns (date, degrees) of a record, or raises ValueError if it can't be counted."""
    if not value:
        raise ValueError("empty value")
    text, degrees = decode(value)
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("date %r" % text)
    date = datetime.date(*(int(part) for part in text.split("-")))
    if not math.isfinite(degrees) or abs(degrees) > sys.float_info.max / 31:
        raise ValueError("degrees %r" % degrees)
    if key != MONTHS[date.month - 1].encode():
        raise ValueError("key %r" % key)
    return date, degrees
