#!/usr/bin/env python3
"""How long keys wait while everything else works, and how soon a job ends that is cancelled.

    latency.py --binary .build/release/vise --model .models/smollm2-hf --large QWEN.gguf [--seconds 30]

The workbench runs in a terminal of 120x36. Keys are pressed every 70 ms while layers are compressed by GPTQ and both models answer
a prompt; `vise open --trace` says how long each waited for its frame. Then a model of 1.5 B reads a long prompt, which is cancelled
after a second, some times; what is measured is from the key to the frame that says so. The first screen of a checkpoint is
timed from the start of the program to its first layer's name.
"""
import argparse
import fcntl
import json
import os
import pty
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

import sections

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.abspath(os.path.join(HERE, "..", "Samples"))
PLAN = "vise: 1\nrules:\n  - layers: \"*\"\n    bits: 4\n    group: 64\n    method: gptq\n"


class Workbench:
    """The program in a terminal of its own."""

    def __init__(self, binary, *arguments):
        self.state = tempfile.mkdtemp()
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": self.state, "XDG_CONFIG_HOME": self.state}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(binary, [binary, *arguments], environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self.seen = b""

    def read(self, seconds):
        """What is written within that time; None once the program has ended."""
        if not select.select([self.terminal], [], [], max(seconds, 0))[0]:
            return b""
        try:
            some = os.read(self.terminal, 1 << 16)
        except OSError:
            return None
        self.seen += some
        return some

    def wait(self, text, seconds=60):
        """Waits for a text to be written; seconds that this took, None if it was not."""
        start = time.monotonic()
        before = max(len(self.seen) - len(text), 0) if text in self.seen else 0
        while text not in self.seen[before:]:
            if self.read(0.5) is None or time.monotonic() - start > seconds:
                return None
        return time.monotonic() - start

    def press(self, keys):
        os.write(self.terminal, keys.encode())

    def rest(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.read(end - time.monotonic()) is not None:
            pass

    def memory(self):
        """MB that are resident, pages of mapped files left out."""
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["RssAnon"].split()[0]) / 1024

    def end(self):
        self.press(":q!\r")
        self.rest(1)
        subprocess.run(["kill", "-9", str(self.pid)], stderr=subprocess.DEVNULL, check=False)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)
        shutil.rmtree(self.state)


def keys_at_work(options, folder):
    """Milliseconds of each frame that followed keys."""
    plan, trace = os.path.join(folder, "plan.yaml"), os.path.join(folder, "trace")
    with open(plan, "w", encoding="utf-8") as file:
        file.write(PLAN)
    workbench = Workbench(options.binary, "open", options.model, "--plan", plan, "--trace", trace)
    workbench.rest(1.5)
    workbench.press(f":calibrate {SAMPLES}/calibration.txt\r")
    workbench.rest(2)
    workbench.press(":set tokens 2000\r")
    workbench.press(":prompt Tell me a long story about the sea.\r")
    workbench.rest(2)
    start = time.monotonic()
    place = 0
    while time.monotonic() - start < options.seconds:
        workbench.press("jjjjkkkk"[place % 8])
        place += 1
        workbench.rest(0.07)
    workbench.end()
    with open(trace, encoding="utf-8") as file:
        return sorted(json.loads(line)["milliseconds"] for line in file)


def cancels(options):
    """Milliseconds from the key to the frame that says that the prompt was cancelled."""
    workbench = Workbench(options.binary, "open", options.large)
    workbench.rest(2)
    found = []
    text = "The sea is a vast body of water that covers most of the earth. " * 60
    for attempt in range(5):
        workbench.press(f":prompt {attempt} {text}\r")
        if workbench.wait(b"reading", 60) is None:
            break
        workbench.rest(1)
        workbench.seen = b""
        workbench.press("\x03")
        # Only cells that change are written: "Cancelling: generate" has become "Cancelled: generate".
        seconds = workbench.wait(b"ed: gen", 10)
        if seconds is None:
            break
        found.append(1000 * seconds)
        workbench.rest(1.2)
    workbench.end()
    return sorted(found)


def first_screen(options, path):
    """Milliseconds until a layer's name is on the screen, and MB of memory then, in a few runs."""
    found = []
    for _ in range(5):
        start = time.monotonic()
        workbench = Workbench(options.binary, "open", path)
        workbench.wait(b"embed_tokens", 20)
        found.append((1000 * (time.monotonic() - start), workbench.memory()))
        workbench.end()
    return found


def table(options):
    yield "| | median | p99 | most | bar |"
    yield "|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        frames = keys_at_work(options, folder)
    yield (f"| key to frame, ms, while GPTQ runs and two models answer ({len(frames)} frames) | {statistics.median(frames):.1f} | "
           f"{frames[len(frames) * 99 // 100]:.1f} | {frames[-1]:.1f} | p99 < 16 |")
    if options.large:
        found = cancels(options)
        if found:
            yield (f"| key to cancelled, ms, while Qwen2.5-Coder 1.5B reads a prompt ({len(found)} times) | {statistics.median(found):.0f} | "
                   f"– | {found[-1]:.0f} | 50 |")
    if options.wide:
        found = first_screen(options, options.wide)
        times, sizes = sorted(one[0] for one in found), sorted(one[1] for one in found)
        yield f"| first screen of a checkpoint of the shape of Llama 70B, ms | {statistics.median(times):.0f} | – | {times[-1]:.0f} | 100 |"
        yield f"| memory then, MB, without mapped files | {statistics.median(sizes):.0f} | – | {sizes[-1]:.0f} | 60 |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/vise")
    parser.add_argument("--model", default=".models/smollm2-hf")
    parser.add_argument("--large", help="Qwen2.5-Coder 1.5B in GGUF")
    parser.add_argument("--wide", help="a checkpoint of the shape of Llama 70B")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--output", default=os.path.join(HERE, "results.md"))
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    threads = len(os.sched_getaffinity(0))
    lines = list(table(options))
    sections.write(options.output, "Waiting", [f"{threads} threads; commit {commit}.", "", *lines])
    print("\n".join(lines), file=sys.stderr)


if __name__ == "__main__":
    main()
