"""The job of `weatheractors consume --all --until-end`, in plain kafka-python: count each date once, keep a JSON file per
partition, replaced atomically and synced after each poll."""
import json
import os
import sys

from kafka import KafkaConsumer, TopicPartition
from report_pb2 import Report

brokers, topic, folder, partitions = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
os.makedirs(folder)
consumer = KafkaConsumer(bootstrap_servers=[brokers], enable_auto_commit=False)
assigned = [TopicPartition(topic, p) for p in range(partitions)]
consumer.assign(assigned)
consumer.seek_to_beginning()
ends = consumer.end_offsets(assigned)
stats = {p: {"partition": p, "offset": 0} for p in range(partitions)}


def count(state, record):
    report = Report.FromString(record.value)
    month = state.setdefault(record.key.decode(), {})
    year = month.get(report.date[:4])
    if year is None:
        month[report.date[:4]] = {"count": 1, "sum": report.degrees, "avg": report.degrees, "start": report.date, "end": report.date}
    elif report.date > year["end"]:
        year["count"] += 1
        year["sum"] += report.degrees
        year["avg"] = year["sum"] / year["count"]
        year["end"] = report.date
    state["offset"] = record.offset + 1


def save(state):
    path = os.path.join(folder, f"partition-{state['partition']}.json")
    with open(path + ".tmp", "w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".tmp", path)


while any(stats[tp.partition]["offset"] < ends[tp] for tp in assigned):
    for tp, records in consumer.poll(1000, max_records=50_000).items():
        for record in records:
            count(stats[tp.partition], record)
        save(stats[tp.partition])
