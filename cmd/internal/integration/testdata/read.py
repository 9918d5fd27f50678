"""Prints every record of a topic as a dictionary, and checks each of them:
the value parses with code that protoc generated, and the partition is the one
that kafka-python's own partitioner chooses.

    read.py BOOTSTRAP TOPIC"""

import sys

from kafka.partitioner.default import DefaultPartitioner

import report_pb2
from topic import MONTHS, read


def main(bootstrap, topic, partitions):
    partitioner = DefaultPartitioner()
    everywhere = list(range(int(partitions)))
    for record in read(bootstrap, topic):
        report = report_pb2.Report.FromString(record.value)
        month = MONTHS[int(report.date[5:7]) - 1]
        if record.key != month.encode():
            sys.exit("offset %d: key %r of %s" % (record.offset, record.key, report.date))
        if record.partition != partitioner(record.key, everywhere, everywhere):
            sys.exit("offset %d: %s in partition %d" % (record.offset, month, record.partition))
        print(
            {
                "partition": record.partition,
                "key": record.key.decode(),
                "date": report.date,
                "degrees": report.degrees,
            }
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
