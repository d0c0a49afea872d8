#!/usr/bin/env python3
"""Carries out the steps of a job, and goes on where an earlier run of the same job stopped.

usage: job.py --model MODEL --work DIRECTORY --steps compress,evaluate,sensitivity,serve [--serve "vllm serve arguments"]

DIRECTORY outlives the job and is seen by all nodes: steps that are complete there are not run again. What comes of them is
DIRECTORY/model, DIRECTORY/evaluation.json and DIRECTORY/sensitivity.safetensors.
"""

import argparse
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(*arguments):
    """Runs a program of this folder, or another; the job ends where it does."""
    code = subprocess.run([str(argument) for argument in arguments], check=False).returncode
    if code:
        raise SystemExit(f"vise: {Path(str(arguments[1])).name} ended with status {code}")


# These modifiers of llm-compressor 0.14 do not join what several processes have seen.
ALONE = ("SparseGPTModifier", "WandaPruningModifier")


def launcher():
    """How run.py is started: once, or once for each of several GPUs of this node."""
    recipe = (HERE / "recipe.yaml").read_text(encoding="utf-8")
    if any(name in recipe for name in ALONE):
        return [sys.executable]
    try:
        import torch

        count = torch.cuda.device_count()
    except ImportError:
        count = 0
    if count > 1:
        return [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    return [sys.executable]


def compress(options, work):
    made, partial = work / "model", work / "model.partial"
    if made.exists():
        return
    shutil.rmtree(partial, ignore_errors=True)
    calibration = HERE / "calibration.json"
    text = ["--text", calibration] if calibration.exists() else []
    run(*launcher(), HERE / "run.py", options.model, partial, *text)
    partial.rename(made)


def evaluate(options, work):
    if not (work / "evaluation.json").exists():
        run(sys.executable, HERE / "evaluate.py", options.model, work / "model", "--windows", HERE / "evaluation.json",
            "--work", work / "expected", "--output", work / "evaluation.json")


def sensitivity(options, work):
    if not (work / "sensitivity.safetensors").exists():
        run(sys.executable, HERE / "sensitivity.py", options.model, "--windows", HERE / "calibration.json",
            "--layers", HERE / "layers.json", "--work", work / "sensitivity",
            "--output", work / "sensitivity.safetensors", "--workers", options.workers, "--gpus", options.gpus)


def serve(options, work):
    """Serves the result until the job is stopped."""
    print(f"vise: serving {work / 'model'}", flush=True)
    os.execvp("vllm", ["vllm", "serve", str(work / "model"), *shlex.split(options.serve)])


STEPS = {step.__name__: step for step in (compress, evaluate, sensitivity, serve)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--model", "--work", "--steps"):
        parser.add_argument(name, required=True)
    parser.add_argument("--workers", type=int, default=2, help="tasks of sensitivity at a time")
    parser.add_argument("--gpus", type=float, default=0, help="GPUs of each of these")
    parser.add_argument("--serve", default="", help="arguments of vllm serve")
    options = parser.parse_args()
    work = Path(options.work).expanduser()
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"vise: another job works in {work}; wait for it, or stop it") from None
        steps = options.steps.split(",")
        for number, step in enumerate(steps, 1):
            print(f"vise: step {number}/{len(steps)} {step}", flush=True)
            STEPS[step](options, work)
    print("vise: done", flush=True)


if __name__ == "__main__":
    main()
