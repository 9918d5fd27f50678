#!/usr/bin/env python3
"""Measures how much memory weatheractors takes when things go badly.

    .ci/memory.py PROGRAM [SECONDS]

Each trouble lasts SECONDS (30). The numbers are the resident memory of a process
in MB, the most that was seen: before the trouble, and within it; or at the first
and at the second reading of a topic. Needs Linux and kcat; the disk that hangs is
a loop device, which needs root.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = os.path.abspath(sys.argv[1])
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 30
BEFORE = 5  # seconds; a producer as fast as it can has published all days there are after some 15


class Watched:
    """A running weatheractors, whose memory is looked at all the time."""

    def __init__(self, *args):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([PROGRAM, *args], stdout=self.log, stderr=self.log)
        self.peak = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        while self.process.poll() is None:
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                    if line.startswith("VmRSS:"):
                        self.peak = max(self.peak, int(line.split()[1]) / 1024)
            time.sleep(0.02)

    def most(self):
        """The most since this was last asked."""
        peak, self.peak = self.peak, 0.0
        return peak

    def end(self, expect=(0,)):
        self.process.send_signal(signal.SIGTERM)
        self.wait(expect)

    def wait(self, expect=(0,)):
        status = self.process.wait(timeout=300)
        if status not in expect:
            self.log.seek(0)
            sys.exit(f"{self.process.args}: exit status {status}\n{self.log.read().decode()}")


@contextlib.contextmanager
def broker(folder):
    process = subprocess.Popen([PROGRAM, "broker", "--listen", "127.0.0.1:0", "--data-dir", folder],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()


def run(*args):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def consume(address, folder, *more):
    return Watched("consume", "--all", "--brokers", address, "--dir", str(folder), *more)


def produce(address, *more):
    return Watched("produce", "--delay", "0", "--start", "0001-01-01", "--brokers", address, *more)


def row(case, consume, produce=None):
    cell = "–" if produce is None else f"{produce[0]:.0f} / {produce[1]:.0f}" if produce[1] else f"{produce[0]:.0f} / had ended"
    print(f"| {case} | {consume[0]:.0f} / {consume[1]:.0f} | {cell} |", flush=True)


def troubled(case, scratch, files, trouble, mend, ends):
    """A producer as fast as it can, and a consumer, before trouble and within."""
    with broker(scratch / "broker") as (process, address):
        producer, consumer = produce(address, "--topic", "memory"), consume(address, files, "--topic", "memory")
        time.sleep(BEFORE)
        before = producer.most(), consumer.most()
        trouble(process)
        time.sleep(SECONDS)
        within = producer.most(), consumer.most()
        mend(process)
        producer.end(ends)
        consumer.end(ends)
        row(case, (before[1], within[1]), (before[0], within[0]))


def disk_that_hangs(scratch):
    image, mount = scratch / "disk.img", scratch / "disk"
    mount.mkdir()
    run("truncate", "-s", "300M", image)
    run("mkfs.ext4", "-q", image)
    run("mount", "-o", "loop", image, mount)
    try:
        troubled("a disk that hangs, beside such a producer", scratch, mount / "files",
                 lambda _: run("fsfreeze", "-f", mount), lambda _: run("fsfreeze", "-u", mount), (0,))
    finally:
        subprocess.run(["umount", mount], check=True)


def records(case, scratch, fill):
    """What others have written, read twice, into two folders."""
    with broker(scratch / "broker") as (_, address):
        run(PROGRAM, "produce", "--delay", "0", "--days", "1", "--topic", "memory", "--brokers", address)
        fill(address)
        peaks = []
        for folder in ("first", "second"):
            consumer = consume(address, scratch / folder, "--topic", "memory", "--until-end")
            consumer.wait()
            peaks.append(consumer.most())
        row(case, peaks)


def kcat(address, *more, **options):
    subprocess.run(["kcat", "-P", "-b", address, "-t", "memory", *more], check=True, **options)


def rubbish(address):
    kcat(address, input=b"neither a month nor a report\n" * 1_000_000)


def megabytes(address, scratch):
    (scratch / "megabyte").write_bytes(b"x" * 999_000)  # what a broker takes unasked
    for _ in range(10):
        kcat(address, "-X", "batch.num.messages=1", *[scratch / "megabyte"] * 50)


def main():
    print("| trouble | `consume`, MB before / within | `produce` |\n| --- | ---: | ---: |", flush=True)
    cases = [
        lambda s: troubled("none, but a producer as fast as it can", s, s / "files", lambda _: None, lambda _: None, (0,)),
        lambda s: troubled("a broker that gives no answer, to such a producer", s, s / "files",
                           lambda b: b.send_signal(signal.SIGSTOP), lambda b: b.send_signal(signal.SIGCONT), (0, 1)),
        lambda s: records("1,000,000 records of rubbish, read twice", s, rubbish),
        lambda s: records("500 records of a megabyte each, read twice", s, lambda address: megabytes(address, s)),
    ]
    if os.geteuid() == 0:
        cases.append(disk_that_hangs)
    else:
        print("not root: no disk that hangs", file=sys.stderr)
    for case in cases:
        with tempfile.TemporaryDirectory() as scratch:
            case(pathlib.Path(scratch))


main()
