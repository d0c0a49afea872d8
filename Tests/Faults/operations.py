"""What Vise writes, one thing a class: how it is run, what is there before, and what may be there after.

Each works in a folder of its own, below which faults are injected, on a copy of the model in that folder. Needs Python's
standard library only.
"""
import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import time

LIMIT = 120


def command_line():
    """What a script that tries operations is told: the program, a model, a seed, and which of them alone it tries."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    return parser


def tree(path):
    """Hashes of all files at and below a path, by name; None where nothing is."""
    path = pathlib.Path(path)
    if not os.path.lexists(path):
        return None
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


class Run:
    """A program on its way."""

    def __init__(self, words, environment):
        self.process = subprocess.Popen(words, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def finish(self):
        """Its status, negative for a signal, and what it wrote to standard error."""
        try:
            _, errors = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.communicate()
            return "hangs", ""
        return self.process.returncode, errors.decode(errors="replace")


class Operation:
    """Something that is written in place of something older."""
    #: Names that it works on, in its folder.
    outputs = ()

    def __init__(self, binary, model, folder):
        self.binary, self.folder = str(binary), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.model = self.folder / "model"
        shutil.copytree(model, self.model, dirs_exist_ok=True)
        self.results = self.folder / "results"
        self.kept = pathlib.Path(f"{folder}-before")
        self.prepare()
        self.before = {name: tree(self.results / name) for name in self.outputs}
        shutil.copytree(self.results, self.kept, symlinks=True)
        status, errors = self.start({}).finish()
        assert status == 0, f"{self.name}: status {status}: {errors}"
        self.after = {name: tree(self.results / name) for name in self.outputs}
        self.names = sorted(os.listdir(self.results))
        assert self.after != self.before, f"{self.name} changes nothing"

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def vise(self, *words):
        subprocess.run([self.binary, *map(str, words)], check=True, capture_output=True, timeout=LIMIT)

    def reset(self):
        shutil.rmtree(self.results)
        shutil.copytree(self.kept, self.results, symlinks=True)

    def start(self, environment):
        return Run([self.binary, *map(str, self.words())], environment)

    def flaw(self):
        """What is wrong with what lies there now, whole or interrupted; None if each output is as before or as it should be."""
        for name in self.outputs:
            now = tree(self.results / name)
            if now not in (self.before[name], self.after[name]):
                return f"{name} is neither the old nor the new one"
        return None

    def is_done(self):
        return all(tree(self.results / name) == self.after[name] for name in self.outputs)

    def strays(self):
        """Names that should not be there once it is done."""
        return sorted(set(os.listdir(self.results)) - set(self.names))


PLAN = "vise: 1\nrules:\n  - layers: \"*_proj\"\n    {}\n"


class GGUF(Operation):
    """An export of one file over an earlier one."""
    name, outputs = "GGUF export", ("out.gguf",)

    def prepare(self):
        self.results.mkdir()
        self.plan = self.write("plan.yaml", PLAN.format("type: Q4_0\n    range: minmax"))
        old = self.write("old.yaml", PLAN.format("type: Q8_0"))
        self.vise("export", self.model, "--plan", old, "--format", "gguf", "--output", self.results / "out.gguf")

    def words(self):
        return ["export", self.model, "--plan", self.plan, "--format", "gguf", "--replace", "--output",
                self.results / "out.gguf"]


class Directory(Operation):
    """An export of a directory over an earlier one."""
    name, outputs = "directory export", ("out",)

    def prepare(self):
        self.results.mkdir()
        self.plan = self.write("plan.yaml", PLAN.format("bits: 4\n    group: 64\n    method: rtn"))
        old = self.write("old.yaml", PLAN.format("bits: 8\n    group: 64\n    method: rtn"))
        self.vise("export", self.model, "--plan", old, "--target", "transformers", "--output", self.results / "out")

    def words(self):
        return ["export", self.model, "--plan", self.plan, "--target", "transformers", "--replace", "--output",
                self.results / "out"]


class Sensitivity(Operation):
    """A sensitivity file over an earlier one."""
    name, outputs = "sensitivity", ("sensitivity.safetensors",)
    tokens = 32

    def measure(self, tokens):
        return ["sensitivity", self.model, "--text", self.text, "--gradient-tokens", tokens, "--tokens", 64,
                "--window", 32, "--candidates", "Q4_0/rtn", "--output", self.results / self.outputs[0]]

    def prepare(self):
        self.results.mkdir()
        self.text = self.write("text.txt", "In the beginning God created the heaven and the earth. " * 20)
        self.vise(*self.measure(64))

    def words(self):
        return self.measure(32)


class Plan(Operation):
    """A plan over an earlier one, through a link."""
    name, outputs = "plan", ("plan.yaml",)

    def prepare(self):
        self.results.mkdir()
        text = self.write("text.txt", "In the beginning God created the heaven and the earth. " * 20)
        self.file = self.folder / "sensitivity.safetensors"
        self.vise("sensitivity", self.model, "--text", text, "--gradient-tokens", 32, "--tokens", 64, "--window", 32,
                  "--candidates", "Q4_0/rtn,Q8_0/rtn", "--output", self.file)
        self.vise("allocate", self.model, "--sensitivity", self.file, "--budget", "8bpw", "--output",
                  self.results / "real.yaml")
        (self.results / "plan.yaml").symlink_to("real.yaml")

    def words(self):
        return ["allocate", self.model, "--sensitivity", self.file, "--budget", "5bpw", "--output",
                self.results / "plan.yaml"]

    def is_done(self):
        return super().is_done() and (self.results / "plan.yaml").is_symlink()


class Workbench:
    """The workbench in a terminal of its own, typed into by a script: keys, each with what is shown then."""

    def __init__(self, words, environment, keys, is_done):
        self.keys, self.is_done, self.output, self.binary = list(keys), is_done, b"", words[0]
        # Engines are found by those of this state alone.
        self.runtime = {"XDG_RUNTIME_DIR": environment["XDG_STATE_HOME"]}
        environment = {**self.runtime, **environment}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(words[0], words, {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment})

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def read(self, seconds):
        """Takes what is written for a while; whether the program still lives."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.terminal], [], [], left)[0]:
                break
            try:
                data = os.read(self.terminal, 1 << 16)
            except OSError:
                return False
            if not data:
                return False
            self.output += data
        return True

    def end(self, stops=True):
        """Waits for the program's end; its status. Its engine ends too, unless that is to be found again."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        if stops:
            self.engine("--stop", "all")
        return os.waitstatus_to_exitcode(status)

    def engine(self, *words):
        """What `vise engine` prints."""
        return subprocess.run([self.binary, "engine", *words], env={**os.environ, **self.runtime}, capture_output=True,
                              text=True, timeout=LIMIT).stdout

    def engines(self):
        """Processes of the engines that run."""
        return [int(name.name[7:-5]) for name in pathlib.Path(self.runtime["XDG_RUNTIME_DIR"]).glob("vise/engine-*.sock")
                if os.path.exists(f"/proc/{name.name[7:-5]}")]

    def type(self, text):
        try:
            os.write(self.terminal, text.encode())
        except OSError:
            pass

    def finish(self):
        """Types the script, and quits once that had its effect; the status, and what went wrong."""
        deadline = time.monotonic() + LIMIT
        lives = True
        # A model that cannot be opened leaves a session without one.
        patience = time.monotonic() + 15
        while lives and b"blocks" not in self.output and time.monotonic() < patience:
            lives = self.read(0.05)
        for key, answer in self.keys if lives else []:
            seen = len(self.output)
            self.type(key)
            lives = lives and self.read(0.08)
            patience = time.monotonic() + 2
            while lives and answer not in self.output[seen:] and time.monotonic() < patience:
                lives = self.read(0.05)
        # It may be that faults keep the effect away; then the session goes on all the same.
        patience = time.monotonic() + 2
        while lives and not self.is_done() and time.monotonic() < patience:
            lives = self.read(0.05)
        while lives and time.monotonic() < deadline:
            # Escape closes what is open; a key that follows at once would be taken for one with Alt.
            for key, seconds in (("\x1b", 0.3), ("q", 0.1), ("d", 0.3)):
                self.type(key)
                lives = lives and self.read(seconds)
        if lives:
            self.kill()
        status = self.end()
        text = self.output.decode(errors="replace").replace("\r", "")
        return ("hangs", "") if lives else (status, text[text.find("vise: error:"):])


def kept(state, query):
    """What the database below a state directory answers; nothing where there is none, None if it is damaged."""
    files = list(pathlib.Path(state).rglob("sessions.sqlite"))
    if not files or files[0].stat().st_size == 0:
        return []
    try:
        with contextlib.closing(sqlite3.connect(files[0], timeout=10)) as database:
            if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return None
            has_tables = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'setting'").fetchone()[0]
            return database.execute(query).fetchall() if has_tables else []
    except sqlite3.DatabaseError:
        return None


def snapshots(state):
    """Names of the snapshots that are saved; None if the database is damaged."""
    rows = kept(state, "SELECT name FROM snapshot ORDER BY name")
    return None if rows is None else [row[0] for row in rows]


class Session(Operation):
    """A snapshot taken in the workbench beside an earlier one, and a plan written."""
    name, outputs = "session", ("state", "plan.yaml")

    def prepare(self):
        (self.results / "state").mkdir(parents=True)
        self.label = "first"
        self.start({}).finish()
        assert self.labels() == ["first"], f"snapshots: {self.labels()}"
        self.label = "second"

    def labels(self):
        """Names of the snapshots that are saved; None if the database is damaged."""
        return snapshots(self.results / "state")

    def start(self, environment):
        plan = self.results / "plan.yaml"
        keys = [("a", b""), ("4" if self.label == "second" else "8", b"bpw"), (f":snapshot {self.label}\r", b"Kept as")]
        keys += [(f":write {plan}\r", b"overwrite it"), ("o", b"Saved")] if plan.exists() else [
            (f":write {plan}\r", b"Saved")]
        written = tree(plan)
        return Workbench(
            [self.binary, "open", str(self.model), "--fresh"],
            {"XDG_STATE_HOME": str(self.results / "state"), **environment}, keys,
            lambda: self.label in (self.labels() or []) and tree(plan) not in (None, written))

    def flaw(self):
        labels = self.labels()
        if labels is None or "first" not in labels:
            return f"of the snapshots is left: {labels}"
        name = "plan.yaml"
        now = tree(self.results / name)
        return None if now in (self.before[name], self.after[name]) else f"{name} is neither the old nor the new one"

    def is_done(self):
        name = "plan.yaml"
        return self.labels() == ["first", "second"] and tree(self.results / name) == self.after[name]

    def strays(self):
        return [str(p.relative_to(self.results)) for p in self.results.rglob("*.tmp")]


ALL = [GGUF, Directory, Sensitivity, Plan, Session]
