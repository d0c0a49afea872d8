#!/usr/bin/env python3
"""Replays the scripts of this folder in a real terminal and draws what it shows as SVG.

    record.py --binary .build/release/vise --smollm2 .models/smollm2-hf --output Samples/recordings [NAME...]

A recording is what tmux has of the pane after each step of a script: nothing is drawn that the program has not shown. Waits
are shortened. Frames are told apart by CSS alone, so that the files move where scripts and fonts of others are not allowed;
boxes, blocks and dots are drawn as shapes, and texts are held to their columns. Where a reader prefers no motion, the last
frame stands. Needs tmux and Python's standard library only.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drawing import Drawing  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
#: How long a frame stands, in milliseconds: after keys, and while something is waited for.
KEYS, WAIT, LAST = 700, 900, 4000
#: Frames of one wait, and the seconds between two of them.
MOST_WAITING, APART = 3, 2.0


class Script:
    """Steps of a script: a word and what stands behind it, a line each."""

    def __init__(self, path):
        self.name = path.stem
        self.title = ""
        self.settings = {"model": "sample", "size": "120 36", "theme": "dark"}
        self.steps = []
        for line in path.read_text().splitlines():
            if line.startswith("#"):
                self.title = self.title or line.strip("# ")
                continue
            word, _, rest = line.partition(" ")
            if word in ("model", "size", "theme", "most"):
                self.settings[word] = rest
            elif word:
                self.steps.append((word, rest))


class Recorder:
    def __init__(self, script, binary, models):
        self.script = script
        self.columns, self.rows = map(int, script.settings["size"].split())
        self.folder = tempfile.mkdtemp(prefix="vise-record-")
        os.symlink(ROOT / "Samples", f"{self.folder}/Samples")
        self.frames = []
        self.caption = script.title
        self.keys = []
        self.socket = f"vise-record-{os.getpid()}"
        variables = {"LANG": "C.UTF-8", "TERM": "tmux-256color", "COLORTERM": "truecolor",
                     **{f"XDG_{name}": self.folder for name in ("CONFIG_HOME", "STATE_HOME", "RUNTIME_DIR")}}
        exports = " ".join(f"{key}='{value}'" for key, value in variables.items())
        model = models[script.settings["model"]]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "r", "-x", str(self.columns), "-y", str(self.rows),
                  f"cd {self.folder} && env {exports} {binary} --theme {script.settings['theme']} {model}; exec cat")
        self.variables = variables
        self.binary = binary

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-L", self.socket, *arguments], check=True, capture_output=True, text=True,
                              env={**os.environ, "LANG": "C.UTF-8"}).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "r")

    def shoot(self, milliseconds):
        picture = self.tmux("capture-pane", "-e", "-N", "-p", "-t", "r").split("\n")[:self.rows]
        said = (self.caption, tuple(self.keys))
        if self.frames and self.frames[-1][0] == picture and self.frames[-1][1] == said:
            self.frames[-1][2] += milliseconds
        else:
            self.frames.append([picture, said, milliseconds])

    def settle(self):
        """Waits until the screen stays as it is for a moment."""
        before = None
        for _ in range(15):
            now = self.screen()
            if now == before:
                return
            before = now
            time.sleep(0.08)

    def wait(self, text, is_there=True, seconds=600):
        start = shot = time.monotonic()
        taken = 0
        while (text in self.screen()) != is_there:
            now = time.monotonic()
            if now - start > seconds:
                raise RuntimeError(f"{self.script.name}: waited in vain for {text!r}; the screen shows\n{self.screen()}")
            if self.frames and taken < MOST_WAITING and now - shot > APART * 2 ** taken:
                self.shoot(WAIT)
                shot, taken = now, taken + 1
            time.sleep(0.05)

    def run(self):
        for word, rest in self.script.steps:
            if word == "wait":
                self.wait(rest)
                self.settle()
                self.shoot(WAIT)
            elif word == "gone":
                self.wait(rest, is_there=False)
                self.settle()
                self.shoot(WAIT)
            elif word == "say":
                self.caption, self.keys = rest, []
            elif word == "press":
                for key in rest.split():
                    self.tmux("send-keys", "-t", "r", key)
                    self.keys.append(key)
                    self.settle()
                    self.shoot(KEYS)
            elif word == "type":
                self.tmux("send-keys", "-t", "r", "-l", "--", rest)
                self.keys.append(rest)
                self.settle()
                self.shoot(KEYS)
            elif word == "rest":
                self.shoot(int(rest))
            else:
                raise RuntimeError(f"{self.script.name}: no step is called {word!r}")
        self.shoot(LAST)

    def close(self):
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True)
        subprocess.run([self.binary, "engine", "--stop", "all"], capture_output=True, env={**os.environ, **self.variables})
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--smollm2", help="folder of SmolLM2-135M; scripts that ask for it are left out without it")
    parser.add_argument("--output", required=True)
    parser.add_argument("names", nargs="*", help="scripts to record; all of them by default")
    options = parser.parse_args()
    models = {"sample": str(ROOT / "Samples/scripture")}
    if options.smollm2:
        models["smollm2"] = os.path.abspath(options.smollm2)
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    for path in sorted((HERE / "Scripts").glob("*.txt")):
        script = Script(path)
        if options.names and script.name not in options.names or script.settings["model"] not in models:
            continue
        recorder = Recorder(script, os.path.abspath(options.binary), models)
        try:
            recorder.run()
        finally:
            recorder.close()
        text = Drawing(recorder.columns, recorder.rows, script.title).svg(recorder.frames)
        (output / f"{script.name}.svg").write_text(text)
        print(f"{output / script.name}.svg: {len(recorder.frames)} frames, {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
