#!/usr/bin/env python3
"""Throws seeded random keys, clicks, pastes and resizes at the real binary in tmux.

    monkey.py --binary .build/debug/vise --model Samples/scripture --minutes 1 --seed 1

Ends well when the program lives and answers all the time, unless it is told to quit, holds no more memory, files and
threads than it may, and leaves the terminal as it was. Prints the seed and the last steps otherwise, so that a failure can
be played again. Says how much of each it held at most, and how long frames took after keys. Needs tmux and Python's standard
library only.
"""
import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

NAMED = ["Up", "Down", "Left", "Right", "PgUp", "PgDn", "Home", "End", "Enter", "Escape", "Tab",
         "BTab", "BSpace", "DC", "Space", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "C-d", "C-u", "C-r",
         "C-l", "C-p", "C-n", "M-x", "S-Up"]
LETTERS = "hjklgGvanFc*/N2345678 0[]msSuzZtTMpxyiw:?+-=<>,.1 9AbdDHIKLPRrVXOf;&"
PASTES = ["q", "2222", "*.down_proj", "re:(", "\n\n", "0.5", "2:4", "é中文😀\u0301", "a" * 3000,
          "\x1b[31mred", "set temperature 0.8", "In the beginning"]
SIZES = [(120, 36), (80, 24), (200, 50), (60, 16), (59, 16), (40, 10), (20, 5), (10, 3), (100, 30)]


class Terminal:
    def __init__(self, command, columns, rows):
        self.socket = f"vise-monkey-{os.getpid()}-{time.monotonic_ns()}"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "m", "-x", str(columns),
                  "-y", str(rows), command)

    def tmux(self, *arguments, check=True):
        result = subprocess.run(["tmux", "-L", self.socket, *arguments], capture_output=True,
                                text=True, env={**os.environ, "LANG": "C.UTF-8"})
        if check and result.returncode:
            raise RuntimeError(f"tmux {arguments[0]}: {result.stderr.strip()}")
        return result.stdout

    def screen(self):
        """What the terminal shows and has scrolled away, lines whole that a narrow one has wrapped."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-100", "-t", "m")

    def wait(self, what, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            text = self.screen()
            if condition(text):
                return text
            time.sleep(0.02)
        raise RuntimeError(f"waited in vain for {what}")

    def close(self):
        self.tmux("kill-server", check=False)


def step(chance, terminal):
    """Does one random thing and returns a word for it."""
    kind = chance.random()
    if kind < 0.50:
        keys = "".join(chance.choice(LETTERS) for _ in range(chance.randint(1, 4)))
        terminal.tmux("send-keys", "-t", "m", "-l", "--", keys)
        return f"type {keys!r}"
    if kind < 0.78:
        key = chance.choice(NAMED)
        terminal.tmux("send-keys", "-t", "m", key)
        return f"key {key}"
    if kind < 0.90:
        button = chance.choice([0, 0, 0, 2, 64, 65, 32])
        column, row = chance.randint(1, 210), chance.randint(1, 55)
        for end in "Mm":
            text = f"\x1b[<{button};{column};{row}{end}"
            terminal.tmux("send-keys", "-t", "m", "-H", *(f"{ord(c):x}" for c in text))
        return f"mouse {button} at {column},{row}"
    if kind < 0.95:
        text = chance.choice(PASTES)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            terminal.tmux("load-buffer", file.name)
        terminal.tmux("paste-buffer", "-p", "-t", "m")
        return f"paste {text[:20]!r}"
    columns, rows = chance.choice(SIZES)
    terminal.tmux("resize-window", "-t", "m", "-x", str(columns), "-y", str(rows))
    return f"resize {columns}x{rows}"


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Use:
    """The most that was seen of what a program holds, and what it may; pages of mapped files are the system's."""

    def __init__(self, megabytes):
        self.limits = {"MB": megabytes, "files": 64, "threads": 24}
        self.most = dict.fromkeys(self.limits, 0)

    def look(self, pid):
        try:
            with open(f"/proc/{pid}/status") as file:
                status = dict(line.split(":", 1) for line in file)
            now = {"MB": int(status["RssAnon"].split()[0]) >> 10, "files": len(os.listdir(f"/proc/{pid}/fd")),
                   "threads": int(status["Threads"])}
        except (FileNotFoundError, ProcessLookupError, KeyError):
            return
        for name, value in now.items():
            self.most[name] = max(self.most[name], value)
            if value > self.limits[name]:
                raise RuntimeError(f"holds {value} {name}, where {self.limits[name]} are allowed")

    def __str__(self):
        return "at most " + ", ".join(f"{value} {name}" for name, value in self.most.items())


def frame_times(folder):
    """A sentence on how long frames took after keys."""
    with open(os.path.join(folder, "trace")) as file:
        times = sorted(json.loads(line)["milliseconds"] for line in file if line.endswith("\n"))
    if not times:
        return "no frames"
    parts = [f"{name} {times[min(int(len(times) * share), len(times) - 1)]:.1f}"
             for name, share in [("median", 0.5), ("99 %", 0.99), ("99.9 %", 0.999), ("longest", 1)]]
    return f"milliseconds from key to frame, of {len(times)}: " + ", ".join(parts)


class Session:
    """The program in a terminal of its own, working in a folder where it can save what it likes."""

    def __init__(self, binary, model, folder):
        script = os.path.join(folder, "run.sh")
        with open(script, "w") as file:
            file.write(f"cd {folder}; export HOME={folder} XDG_CONFIG_HOME={folder}/config XDG_STATE_HOME={folder}/state "
                       "LANG=C.UTF-8 TERM=tmux-256color COLORTERM=truecolor\n"
                       f"'{binary}' open '{model}' --memory 512MB --trace trace.new; status=$?; cat trace.new >>trace; echo \"exit status $status\"; exec cat\n")
        self.terminal = Terminal(f"bash {script}", 120, 36)
        self.terminal.wait("the first screen", lambda text: "q_proj" in text)
        shell = self.terminal.tmux("display", "-p", "-t", "m", "#{pane_pid}").strip()
        self.pid = subprocess.run(["pgrep", "-P", shell], capture_output=True,
                                  text=True).stdout.split()[0]

    def check_restored(self, status):
        self.terminal.wait(f"exit status {status}", lambda text: f"exit status {status}" in text)
        modes = self.terminal.tmux("display", "-p", "-t", "m",
                                   "#{alternate_on} #{mouse_any_flag} #{cursor_flag}").split()
        if modes != ["0", "0", "1"]:
            raise RuntimeError(f"the terminal was left with modes {modes}")

    def close(self):
        self.terminal.close()


def play(chance, minutes, start, recent, use):
    """Does random things until the time is over; returns how many, and how often it hit upon quit."""
    end, steps, quits = time.monotonic() + minutes * 60, 0, 0
    session = start()
    try:
        while time.monotonic() < end:
            recent.append(step(chance, session.terminal))
            steps += 1
            use.look(session.pid)
            if not is_alive(session.pid):
                # A click on the footer's quit is a way to end; a crash has another status.
                session.check_restored(0)
                session.close()
                quits += 1
                session = start()
            elif steps % 100 == 0:
                check_answers(session, recent)
        if is_alive(session.pid):
            check_answers(session, recent)
        if is_alive(session.pid):
            os.kill(int(session.pid), signal.SIGTERM)
            session.check_restored(128 + signal.SIGTERM)
        return steps, quits
    except RuntimeError:
        print(session.terminal.screen(), file=sys.stderr)
        raise
    finally:
        session.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--megabytes", type=int, default=1024, help="of memory that the program may hold")
    options = parser.parse_args()
    binary, model = os.path.abspath(options.binary), os.path.abspath(options.model)
    recent, use = collections.deque(maxlen=40), Use(options.megabytes)
    with tempfile.TemporaryDirectory() as folder:
        try:
            steps, quits = play(random.Random(options.seed), options.minutes,
                                lambda: Session(binary, model, folder), recent, use)
            times = frame_times(folder)
        except (RuntimeError, IndexError) as error:
            print(f"monkey: {error}; seed {options.seed}; last steps:", file=sys.stderr)
            print("\n".join(recent), file=sys.stderr)
            return 1
    print(f"monkey: seed {options.seed}, {steps} steps, quit {quits} times by itself, "
          f"otherwise alive; the terminal restored each time; {use}; {times}")
    return 0


def check_answers(session, recent):
    """A resize must be drawn: proof that the loop still turns, unless it has just been told to quit."""
    for columns, rows, mark in [(40, 10, "60"), (120, 36, "vise")]:
        session.terminal.tmux("resize-window", "-t", "m", "-x", str(columns), "-y", str(rows))
        recent.append(f"check {columns}x{rows}")
        session.terminal.wait(f"a frame at {columns}x{rows}",
                              lambda text: mark in text or not is_alive(session.pid))


if __name__ == "__main__":
    sys.exit(main())
