#!/usr/bin/env python3
"""Kills Vise at random moments while it writes, and lets it go on.

    kills.py --binary .build/debug/vise --model Samples/scripture [--count 500] [--seed 1] [--only "GGUF export"]

Each round starts from what was there before, kills the program with SIGKILL once to three times at moments drawn from the time
that it takes, and then lets it run to its end. After each kill, what was there before is there or what should be there
is; after the end the files are those of a run that nothing disturbed, byte by byte, and nothing else is left. Then pairs
of workbenches take snapshots of one model at a time, and none may be lost. Ends with status 1 and the failures otherwise.
"""
import json
import pathlib
import random
import sys
import tempfile
import threading
import time

import operations


def round_of(operation, chance, length):
    """One round; how many kills hit, and what went wrong."""
    operation.reset()
    hits = 0
    for _ in range(chance.randint(1, 3)):
        run = operation.start({})
        timer = threading.Timer(chance.uniform(0, length), run.kill)
        timer.start()
        status, errors = run.finish()
        timer.cancel()
        timer.join()
        if status == -9:
            hits += 1
        elif status != 0:
            return hits, f"status {status}: {errors[-300:]}"
        if wrong := operation.flaw():
            return hits, wrong
        if status == 0:
            break
    status, errors = operation.start({}).finish()
    if status != 0 or not operation.is_done():
        return hits, f"the run after it: status {status}: {errors[-300:]}"
    if strays := operation.strays():
        return hits, f"left behind: {strays}"
    return hits, None


def pair(binary, model, folder, number):
    """Two workbenches take three snapshots each of one model; what was lost."""
    state = pathlib.Path(folder) / f"pair-{number}"
    state.mkdir()

    def labels():
        files = list(state.rglob("*.json"))
        return {s["name"] for s in json.loads(files[0].read_text())["snapshots"]} if files else set()

    expected = {f"{who}{i}" for who in "ab" for i in range(3)}
    endings = []

    def work(who):
        keys = [("a", b"")] + [key for i in range(3) for key in (
            ("4" if who == "a" else "5", b""), (f":snapshot {who}{i}\r", b"Kept as"))]
        run = operations.Workbench([str(binary), "open", str(model)], {"XDG_STATE_HOME": str(state)}, keys,
                                   lambda: {f"{who}{i}" for i in range(3)} <= labels())
        endings.append(run.finish()[0])

    threads = [threading.Thread(target=work, args=(who,)) for who in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if endings != [0, 0]:
        return f"two workbenches ended with {endings}"
    lost = expected - labels()
    return f"two workbenches lost {sorted(lost)}" if lost else None


def main():
    parser = operations.command_line()
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--pairs", type=int)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    binary = pathlib.Path(options.binary).resolve()
    failures = []
    with tempfile.TemporaryDirectory(prefix="vise-kills-") as folder:
        made = [make for make in operations.ALL if options.only in (None, make.name)]
        for make in made:
            operation = make(binary, options.model, f"{folder}/{make.__name__}")
            operation.reset()
            begin = time.monotonic()
            operation.start({}).finish()
            length = time.monotonic() - begin
            rounds = hits = 0
            while hits < -(-options.count // len(made)):
                found, wrong = round_of(operation, chance, length)
                rounds += 1
                hits += found
                if wrong:
                    failures.append(f"{operation.name}, round {rounds}: {wrong}")
                    print(failures[-1], flush=True)
            print(f"{operation.name}: {hits} kills in {rounds} rounds", flush=True)
        pairs = options.pairs if options.pairs is not None else max(1, options.count // 50)
        if options.only in (None, "pairs"):
            wrong = [w for n in range(pairs) if (w := pair(binary, options.model, folder, n))]
            failures += wrong
            print(f"two workbenches: {pairs} pairs, {len(wrong)} lost snapshots", flush=True)
    if failures:
        sys.exit(f"{len(failures)} failures, seed {options.seed}")


if __name__ == "__main__":
    main()
