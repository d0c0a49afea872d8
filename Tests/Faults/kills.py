#!/usr/bin/env python3
"""Kills Vise at random moments while it writes, and lets it go on.

    kills.py --binary .build/debug/vise --model Samples/scripture [--count 500] [--seed 1] [--only "GGUF export"]

Each round starts from what was there before, kills the program with SIGKILL once to three times at moments drawn from the time
that it takes, and then lets it run to its end. After each kill, what was there before is there or what should be there
is; after the end the files are those of a run that nothing disturbed, byte by byte, and nothing else is left. Then pairs
of workbenches take snapshots of one model at a time, and none may be lost. Then sessions are typed key by key, killed at
random moments and gone on with: the state is that before the last key at worst. Then engines are killed at random moments
of a session: the workbench lives, what it keeps is as if nothing had happened, and what it measures at the end is the same
to the last digit. Ends with status 1 and the failures otherwise.
"""
import os
import pathlib
import random
import signal
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
        return set(operations.snapshots(state) or [])

    expected = {f"{who}{i}" for who in "ab" for i in range(3)}
    endings = []

    def work(who):
        keys = [("a", b"")] + [key for i in range(3) for key in (
            ("4" if who == "a" else "5", b""), (f":snapshot {who}{i}\r", b"Kept as"))]
        run = operations.Workbench([str(binary), "open", str(model), "--fresh"], {"XDG_STATE_HOME": str(state)}, keys,
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


class Keystrokes:
    """A session typed key by key: kills in its midst lose the last key at most."""
    KEYS = [
        *"jj4  6u", "\x12", *"G32", "\r", *"vjj5S[", *"a3", *"/down", "\r", *"2u", "\x1bOR", *"fv", "\x1bOS",
        *":snapshot one", "\r", "j", "\x1b[15~", "\x1bOQ", *"*s2:4", "\r", *":sort role", "\r", "i", "L", "t",
        *"p", *"And the LORD said",
    ]
    QUERIES = [
        "SELECT position, target, file FROM session", "SELECT name FROM snapshot", "SELECT value FROM setting",
        "SELECT number, change, yaml FROM version JOIN plan ON plan.id = plan ORDER BY number",
        # How far the table is scrolled also follows from what the engine reports by and by.
        "SELECT name, json_remove(json, '$.top') FROM document WHERE name NOT IN ('conversation', 'marks')",
        "SELECT json FROM document WHERE name = 'marks'",
        "SELECT json_extract(json, '$.editor'), json_extract(json, '$.history') FROM document WHERE name = 'conversation'",
    ]

    def __init__(self, binary, model, folder):
        self.words, self.folder = [str(binary), "open", str(model), "--resume"], pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        state = self.folder / "undisturbed"
        state.mkdir()
        run = self.open(state)
        self.states = [self.settled(run, state)]
        for key in self.KEYS:
            run.type(key)
            self.states.append(self.settled(run, state))
        run.kill()
        run.end()

    def open(self, state):
        run = operations.Workbench(self.words, {"XDG_STATE_HOME": str(state)}, [], None)
        deadline = time.monotonic() + 60
        while b"blocks" not in run.output and time.monotonic() < deadline and run.read(0.02):
            pass
        return run

    def seen(self, state):
        """What a client that is not Vise reads of the database."""
        return [operations.kept(state, query) for query in self.QUERIES]

    def settled(self, run, state):
        """What is kept once nothing changes any more."""
        run.read(0.4)
        before = self.seen(state)
        while run.read(0.2) and (now := self.seen(state)) != before:
            before = now
        return before

    def round(self, number, chance):
        """Kills until all keys are typed; how many kills hit, the keys lost, and what went wrong."""
        state = self.folder / f"round-{number}"
        state.mkdir()
        place = hits = lost = 0
        while True:
            run = self.open(state)
            run.read(0.3)
            resumed = self.seen(state)
            if resumed != self.states[place] and (place or any(resumed)):
                run.kill()
                run.end()
                return hits, lost, f"what is gone on with after {place} keys differs: {self.difference(resumed, place)}"
            last = min(len(self.KEYS), place + chance.randint(1, 25))
            for key in self.KEYS[place:last]:
                run.type(key)
                run.read(chance.uniform(0.03, 0.12))
            if last == len(self.KEYS):
                done = self.settled(run, state) == self.states[-1]
                run.kill()
                run.end()
                return hits, lost, None if done else f"the end differs: {self.difference(self.seen(state), last)}"
            # The moment lies around the next key, or shortly after it.
            run.type(self.KEYS[last])
            time.sleep(chance.uniform(0, 0.03))
            run.kill()
            # Its engine is still there, and the next workbench comes to it, but for every third.
            run.end(stops=hits % 3 == 2)
            hits += 1
            now = self.seen(state)
            place = next((p for p in (last + 1, last) if now == self.states[p]), None)
            if place is None:
                return hits, lost, f"after {last + 1} keys: {self.difference(now, last + 1)}"
            lost += place == last and self.states[last] != self.states[last + 1]

    def difference(self, now, place):
        return [(n, e) for n, e in zip(now, self.states[place]) if n != e]


class EngineKills(Keystrokes):
    """A session whose engine is killed again and again: it costs jobs, and nothing else."""
    KEYS = [*"jj4  6u", "\x12", *"G32", "\r", *"vjj5S[", "a", "3", "\x1bOR", "\x1bOS", *"*s2:4", "\r", "j", "6", "u", "a", "4"]
    RESULTS = "SELECT plan.yaml, text, result, evaluation.bytes FROM evaluation JOIN plan ON plan.id = plan ORDER BY evaluation.id"

    def __init__(self, binary, model, folder):
        self.text = pathlib.Path(f"{folder}.txt")
        self.text.write_text("In the beginning God created the heaven and the earth. " * 120)
        super().__init__(binary, model, folder)
        state = self.folder / "measured"
        state.mkdir()
        run = self.open(state)
        for key in self.KEYS:
            run.type(key)
            run.read(0.05)
        self.measure(run, state)
        self.results = operations.kept(state, self.RESULTS)
        run.kill()
        run.end()
        assert len(self.results) == 1, f"measured: {self.results}"

    def measure(self, run, state):
        """Evaluates the plan at the end; whether figures came of it."""
        # A field may be open, or the evaluation be lost with an engine that was just killed.
        for _ in range(3):
            run.type("\x1b")
            run.read(0.3)
            run.type(f":evaluate {self.text}\r")
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                if not run.read(0.1):
                    return False
                if operations.kept(state, self.RESULTS):
                    return True
        return False

    def round(self, number, chance):
        state = self.folder / f"round-{number}"
        state.mkdir()
        run, hits = self.open(state), 0
        for key in self.KEYS:
            run.type(key)
            if not run.read(chance.uniform(0, 0.12)):
                return hits, 0, f"the workbench ended with {run.end()}"
            if chance.random() < 0.2:
                for engine in run.engines():
                    os.kill(engine, signal.SIGKILL)
                    hits += 1
                run.read(chance.choice([0, 0.02, 0.1, 0.6]))
        wrong = None if self.measure(run, state) else "nothing was measured at the end"
        now = self.seen(state)[:5]
        if not wrong and operations.kept(state, self.RESULTS) != self.results:
            wrong = f"measured {operations.kept(state, self.RESULTS)} in place of {self.results}"
        if not wrong and now[3] != self.states[-1][3]:
            wrong = f"the plan and its history differ: {now[3]}, {self.states[-1][3]}"
        run.kill()
        run.end()
        return hits, 0, wrong


def main():
    parser = operations.command_line()
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--sessions", type=int)
    parser.add_argument("--engine-sessions", type=int)
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
        rounds = options.sessions if options.sessions is not None else max(1, options.count // 50)
        if options.only in (None, "keystrokes") and rounds:
            script = Keystrokes(binary, options.model, f"{folder}/keystrokes")
            found = [script.round(number, chance) for number in range(rounds)]
            wrong = [f"keystrokes, round {n}: {w}" for n, (_, _, w) in enumerate(found) if w]
            failures += wrong
            print("\n".join(wrong), end="\n" if wrong else "")
            print(f"keystrokes: {sum(f[0] for f in found)} kills in {rounds} sessions, "
                  f"{sum(f[1] for f in found)} of them lost the last key", flush=True)
        rounds = options.engine_sessions if options.engine_sessions is not None else max(1, options.count // 50)
        if options.only in (None, "engine") and rounds:
            script = EngineKills(binary, options.model, f"{folder}/engine")
            found = [script.round(number, chance) for number in range(rounds)]
            wrong = [f"engine, round {n}: {w}" for n, (_, _, w) in enumerate(found) if w]
            failures += wrong
            print("\n".join(wrong), end="\n" if wrong else "")
            print(f"engine: {sum(f[0] for f in found)} kills in {rounds} sessions, {len(wrong)} of them wrong", flush=True)
    if failures:
        sys.exit(f"{len(failures)} failures, seed {options.seed}")


if __name__ == "__main__":
    main()
