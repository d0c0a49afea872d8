#!/usr/bin/env python3
"""Exports a model larger than the memory that an export may take, and goes on where a killed export was.

usage: streaming.py --binary VISE --tokenizer DIRECTORY [--blocks 24] [--hidden 1024] [--work FOLDER]

Makes a checkpoint of random weights (600 MB; with --blocks 35 --hidden 4096 --vocabulary 32000, 15 GB) and exports it as GGUF
and as compressed-tensors, by rounding to nearest. Resident memory stays below four times the largest layer and 200 MB. Then
each export is killed with SIGKILL in the middle, run again, and must be the same bytes as the one that was not.
Needs numpy, for make_synthetic.py; Linux, for /proc.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from interop import Checks, uniform

PLANS = {
    "gguf": uniform("type: Q4_0, range: minmax", "*"),
    "compressed-tensors": uniform("bits: 4, group: 64"),
}
ROOM = 200 << 20
BYTES_A_WEIGHT = 2


def peak_bytes(process):
    """The most memory that a process had resident so far, mapped files counted; 0 once it has ended."""
    try:
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
            return max((int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM:")), default=0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def digests(path):
    """SHA-256 of a file, or of each file in a directory."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = {}
    for file in files:
        with file.open("rb") as stream:
            found[file.name if path.is_dir() else ""] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


class Exports:
    """One model and one plan, exported in one format as often as needed."""

    def __init__(self, options, model, root, kind):
        self.plan = root / f"{kind}.yaml"
        self.plan.write_text(PLANS[kind], encoding="utf-8")
        self.command = [options.binary, "export", str(model), "--plan", str(self.plan), "--format", kind, "--output"]

    def start(self, output):
        return subprocess.Popen([*self.command, str(output)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def peak(self, output):
        """Exports, and returns the most memory that was seen meanwhile."""
        process, peak = self.start(output), 0
        while process.poll() is None:
            peak = max(peak, peak_bytes(process))
            time.sleep(0.01)
        if process.returncode:
            sys.exit(f"{' '.join(process.args)}: {process.stderr.read().decode()}")
        return peak

    def kill_in_the_middle(self, output, layers):
        """Exports until half the layers are complete, then kills; how many were."""
        journal = Path(f"{output}.partial") / "journal"
        process = self.start(output)
        while process.poll() is None:
            # The first line is a title.
            lines = journal.read_text(encoding="utf-8").count("\n") if journal.exists() else 0
            if lines > layers // 2:
                process.kill()
            time.sleep(0.001)
        process.wait()
        return journal.read_text(encoding="utf-8").count("\n") - 1 if journal.exists() else 0


def check(checks, options, model, root, kind, layers, limit):
    exports, whole, resumed = Exports(options, model, root, kind), root / f"{kind}-whole", root / f"{kind}-resumed"
    peak = exports.peak(whole)
    checks(f"{kind}, memory", peak <= limit, f"{peak >> 20} MB, at most {limit >> 20}")
    complete = exports.kill_in_the_middle(resumed, layers)
    checks(f"{kind}, killed in the middle", 0 < complete < layers and not resumed.exists(),
           f"{complete} of {layers} layers were complete, and nothing looks finished")
    partial = Path(f"{resumed}.partial")
    before = (partial / "journal").read_text(encoding="utf-8").splitlines()
    exports.peak(resumed)
    checks(f"{kind}, resumed", digests(resumed) == digests(whole) and not partial.exists(),
           f"{len(before) - 1} layers were kept, and all bytes are the same")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--tokenizer"):
        parser.add_argument(name, required=True)
    parser.add_argument("--blocks", type=int, default=24)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--work", help="where to put some files; a temporary folder without")
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        root, model = Path(folder), Path(folder) / "model"
        inner, heads = options.hidden * 11 // 4 // 256 * 256, options.hidden // 128
        subprocess.run(
            [sys.executable, str(Path(__file__).with_name("make_synthetic.py")), str(model),
             "--blocks", str(options.blocks), "--hidden", str(options.hidden), "--intermediate", str(inner),
             "--heads", str(heads), "--kv-heads", str(heads), "--vocabulary", str(options.vocabulary),
             "--tokenizer", options.tokenizer], check=True)
        largest = max(options.vocabulary, inner) * options.hidden * BYTES_A_WEIGHT
        for kind in PLANS:
            check(checks, options, model, root, kind, 7 * options.blocks + 2, 4 * largest + ROOM)
    checks.end()


if __name__ == "__main__":
    main()
