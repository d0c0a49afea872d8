#!/usr/bin/env python3
"""Lets system calls fail, one after the other, while Vise writes exports, plans, snapshots and sensitivity files.

    faults.py --binary .build/debug/vise --model Samples/scripture [--most 12] [--limit 8] [--seed 1] [--only "GGUF export"]

Of each kind of call, the first, the last and some in between fail, as often as --most says, in each of the ways that it can
fail; of all these, --limit tries so many of each thing that is written. After each: the program ended by itself with one line that says why, or did its work; what was there before is there
or what should be there is, and nothing else under that name; and without the fault the same command then does its work and
leaves nothing behind. Calls that are interrupted or do less than they were asked for must not be noticed at all. Prints
what was tried how often; ends with status 1 and the first failures otherwise. Needs a C compiler and Python's standard
library.
"""
import collections
import pathlib
import random
import subprocess
import sys
import tempfile

import operations

#: Ways to fail by kind of call, and whether only the one call fails or all after it too.
WAYS = {
    "open": [("EMFILE", False), ("EIO", True), ("EINTR", True)],
    "read": [("EIO", True), ("EINTR", True), ("short", True)],
    "write": [("ENOSPC", False), ("EIO", True), ("EINTR", True), ("short", True)],
    "sync": [("EIO", True), ("EINTR", True)],
    "rename": [("EIO", True), ("ENOSPC", False), ("EINTR", True)],
    "map": [("EIO", True), ("EMFILE", False)],
    "size": [("ENOSPC", False), ("EINTR", True)],
    "make": [("ENOSPC", False), ("EIO", True)],
    "remove": [("EIO", True)],
}
KILLS = [("KILL", True), ("KILLED", True)]
UNNOTICED = ("EINTR", "short")


def chosen(count, most, chance):
    """Some of the numbers from 1 to count, the first and the last among them."""
    if count <= most:
        return range(1, count + 1)
    between = chance.sample(range(2, count), max(0, most - 2))
    return sorted({1, count, *between})


def flaw(operation, call, kind, number, once, library):
    """Tries one fault; what is wrong with what came of it, and how the run ended."""
    operation.reset()
    environment = {"LD_PRELOAD": library, "FAULT_UNDER": str(operation.folder), "FAULT_CALL": call,
                   "FAULT_KIND": kind, "FAULT_NUMBER": str(number), **({"FAULT_ONCE": "1"} if once else {})}
    status, errors = operation.start(environment).finish()
    ending = "killed" if status == -9 else "done" if status == 0 else "refused"
    lines = [line for line in errors.splitlines() if "error:" in line]
    is_session = isinstance(operation, operations.Session)
    if kind.startswith("KILL"):
        if status not in (-9, 0):
            return f"status {status}", ending
    elif status == "hangs" or status < 0:
        return f"status {status}: {errors[-300:]}", ending
    elif kind in UNNOTICED and not operation.is_done():
        return f"status {status}: {errors[-300:]}", ending
    elif status != 0 and (len(lines) != 1 or not lines[0].startswith("vise: error: ")):
        return f"says {errors[-300:]!r}", ending
    elif status == 0 and not is_session and not operation.is_done():
        return "status 0, but it is not done", ending
    if wrong := operation.flaw():
        return f"then {wrong}", ending
    status, errors = operation.start({}).finish()
    if status != 0 or not operation.is_done():
        return f"the next run: status {status}: {errors[-300:]}", ending
    if strays := operation.strays():
        return f"the next run leaves {strays}", ending
    return None, ending


def main():
    parser = operations.command_line()
    parser.add_argument("--most", type=int, default=12)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    binary = pathlib.Path(options.binary).resolve()
    failures = []
    with tempfile.TemporaryDirectory(prefix="vise-faults-") as folder:
        library = f"{folder}/inject.so"
        source = pathlib.Path(__file__).with_name("inject.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        for make in operations.ALL:
            if options.only not in (None, make.name):
                continue
            operation = make(binary, options.model, f"{folder}/{make.__name__}")
            operation.reset()
            counts = pathlib.Path(folder) / "counts"
            operation.start({"LD_PRELOAD": library, "FAULT_UNDER": str(operation.folder),
                             "FAULT_COUNTS": str(counts)}).finish()
            calls = {name: int(count) for name, count in (line.split() for line in counts.read_text().splitlines())}
            faults = [(call, kind, number, once) for call, ways in WAYS.items() for kind, once in ways + KILLS
                      for number in chosen(calls[call], options.most, chance)]
            if options.limit is not None:
                faults = chance.sample(faults, min(options.limit, len(faults)))
            tally = collections.Counter()
            for call, kind, number, once in faults:
                wrong, ending = flaw(operation, call, kind, number, once, library)
                tally[ending] += 1
                if wrong:
                    tally["wrong"] += 1
                    failures.append(f"{operation.name}: {kind} at {call} {number}: {wrong}")
                    print(failures[-1], flush=True)
            total = sum(calls.values())
            ends = ", ".join(f"{tally[word]} {word}" for word in ("done", "refused", "killed"))
            print(f"{operation.name}: {len(faults)} faults at {total} calls: {ends}; "
                  f"{tally['wrong']} wrong", flush=True)
    if failures:
        sys.exit(f"{len(failures)} failures, seed {options.seed}")


if __name__ == "__main__":
    main()
