"""Recounts a topic and compares every partition file of a folder with the result.

    recount.py BOOTSTRAP TOPIC FOLDER

The files must stand at the end of the topic. Prints what was counted as JSON."""

import json
import os
import sys

from topic import MONTHS, observation, read


def recount(bootstrap, topic):
    """Returns per partition the statistics, the end, and the offsets of rejects."""
    stats, ends, rejects = {}, {}, {}
    for record in read(bootstrap, topic):
        years_of = stats.setdefault(record.partition, {})
        ends[record.partition] = record.offset + 1
        try:
            date, degrees = observation(record.key, record.value)
        except ValueError:
            rejects.setdefault(record.partition, []).append(record.offset)
            continue
        month = years_of.setdefault(MONTHS[date.month - 1], {})
        entry = month.setdefault("%04d" % date.year, {"count": 0, "sum": 0.0, "end": None, "start": date})
        if entry["end"] is None or date > entry["end"]:
            entry["count"] += 1
            entry["sum"] += degrees
            entry["end"] = date
    return stats, ends, rejects


def number(value):
    """Writes a float as encoding/json does, between 1e-4 and 1e16."""
    return repr(value)[:-2] if repr(value).endswith(".0") else repr(value)


def layout(partition, offset, stats):
    """Writes a partition file as its description says."""
    text = '{"partition": %d, "offset": %d' % (partition, offset)
    for month in (m for m in MONTHS if m in stats):
        lines = []
        for year in sorted(stats[month]):
            e = stats[month][year]
            lines.append(
                '"%s": {"count": %d, "sum": %s, "avg": %s, "end": "%s", "start": "%s"}'
                % (year, e["count"], number(e["sum"]), number(e["sum"] / e["count"]), e["end"], e["start"])
            )
        text += ',\n"%s": {\n%s}' % (month, ",\n".join(lines))
    return text + "}\n"


def differences(data, partition, offset, stats):
    """Yields how what a file says differs from a recount; floats by their bits."""
    if data["partition"] != partition or data["offset"] != offset:
        yield "partition and offset are %r, %r" % (data["partition"], data["offset"])
    months = [key for key in data if key not in ("partition", "offset")]
    if months != [m for m in MONTHS if m in stats]:
        yield "months are %r" % months
        return
    for month in months:
        if list(data[month]) != sorted(stats[month]):
            yield "years of %s are %r" % (month, list(data[month]))
            return
        for year, entry in data[month].items():
            want = stats[month][year]
            if type(entry["count"]) is not int:
                yield "%s %s: count is %r" % (month, year, entry["count"])
            has = (entry["count"], float(entry["sum"]).hex(), float(entry["avg"]).hex(), entry["start"], entry["end"])
            average = want["sum"] / want["count"]
            if has != (want["count"], want["sum"].hex(), average.hex(), str(want["start"]), str(want["end"])):
                yield "%s %s: %r, want %r" % (month, year, entry, want)


def main(bootstrap, topic, folder):
    stats, ends, rejects = recount(bootstrap, topic)
    wrong, days = [], 0
    for partition in sorted(ends):
        path = os.path.join(folder, "partition-%d.json" % partition)
        with open(path, encoding="ascii", newline="") as file:
            text = file.read()
        for difference in differences(json.loads(text), partition, ends[partition], stats[partition]):
            wrong.append("%s: %s" % (path, difference))
        if text != layout(partition, ends[partition], stats[partition]):
            wrong.append("%s: is not in the layout of its description" % path)
        days += sum(e["count"] for years in stats[partition].values() for e in years.values())
    if wrong:
        sys.exit("\n".join(wrong))
    print(json.dumps({"records": sum(ends.values()), "days": days, "rejects": rejects}))


if __name__ == "__main__":
    main(*sys.argv[1:])
