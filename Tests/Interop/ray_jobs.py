#!/usr/bin/env python3
"""Lets a Ray cluster of this machine carry plans out and measure sensitivity, and opens what comes back.

usage: ray_jobs.py --binary VISE --model DIRECTORY --smollm2 DIRECTORY --text TEXT --calibration TEXT [--only NAME,...]

Jobs are submitted, followed, stopped and fetched by `vise` alone; the cluster is the real thing, with llm-compressor in its
Python. Its head is killed in the middle of a job and started again. Needs requirements-ray.txt and requirements-compressor.txt.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from interop import Checks, Vise
from ray_head import Head

ROUNDED = """vise: 1
rules:
  - { layers: "re:.*proj", bits: 4, group: 64 }
  - { layers: "*.self_attn.*", bits: 8, group: channel }
"""
CALIBRATED = """vise: 1
rules:
  - { layers: "re:.*proj", bits: 4, group: 64, method: gptq }
  - { layers: "*.self_attn.*", bits: 8, group: channel }
  - { layers: "model.layers.0.*", keep: true }
"""


class Client:
    """`vise` with a state directory of its own, which keeps the jobs that were sent."""

    def __init__(self, options, folder, url):
        self.binary, self.folder, self.url = options.binary, folder, url
        self.environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}

    def run(self, *arguments, **variables):
        return subprocess.run(
            [self.binary, *map(str, arguments)], check=False, capture_output=True, text=True,
            env={**self.environment, **variables})

    def submit(self, model, *arguments, **variables):
        return self.run("submit", model, "--cluster", self.url, "--work", self.folder / "work", *arguments, **variables)

    def start(self, *arguments):
        return subprocess.Popen(
            [self.binary, *map(str, arguments)], env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)

    def newest(self):
        return json.loads(self.run("jobs", "list", "--json").stdout)["jobs"][0]

    def fetch(self, name, *arguments):
        output = self.folder / name
        return output, self.run("jobs", "fetch", self.newest()["id"], "--output", output, *arguments)


def wait_for(what, seconds=180):
    for _ in range(seconds * 5):
        if found := what():
            return found
        time.sleep(0.2)
    return None


def schemes(vise, folder):
    return {layer["name"]: layer.get("scheme") for layer in vise.json("inspect", folder)["layers"]}


# --- Compressing


def check_compression(checks, vise, client, options, model, plan_text, name):
    plan, rounded = client.folder / f"{name}.yaml", client.folder / f"{name}-rounded.yaml"
    plan.write_text(plan_text, encoding="utf-8")
    rounded.write_text(plan_text.replace("method: gptq", "method: rtn"), encoding="utf-8")
    sent = ("--plan", plan, "--target", "transformers", "--text", options.text, "--windows", 6,
            "--calibration", options.calibration, "--calibration-tokens", 2048)
    run = client.submit(model, *sent)
    if not checks(f"{name}: the job succeeds", run.returncode == 0, (run.stdout + run.stderr)[-1500:] if run.returncode else ""):
        return
    output, fetched = client.fetch(name, "--model", "--json")
    if not checks(f"{name}: results are fetched", fetched.returncode == 0, fetched.stderr):
        return
    wanted = schemes(vise, vise.export(model, rounded, "transformers", client.folder / f"{name}-direct"))
    found = schemes(vise, output / "model")
    wrong = [layer for layer in wanted if wanted[layer] != found.get(layer)]
    checks(f"{name}: Vise opens the result with the plan's schemes", not wrong, wrong[:3] or f"{len(wanted)} layers")
    there = json.loads(fetched.stdout)["evaluation"]
    here = vise.json("compare", model, output / "model", "--text", options.text, "--windows", 6)
    # The cluster computes in BF16, and Vise in F32.
    off = [abs(there["ppl"] / here["b"]["ppl"] - 1), abs(there["kld"]["mean"] / here["kld"]["mean"] - 1)]
    checks(f"{name}: measured there as Vise measures it here", off[0] < 0.005 and off[1] < 0.15,
           f"PPL {there['ppl']:.3f} and {here['b']['ppl']:.3f}, KLD {there['kld']['mean']:.5f} and {here['kld']['mean']:.5f}")
    kept = json.loads(client.run("history", model, "--json").stdout)["evaluations"]
    checks(f"{name}: the figures are kept with the model's", bool(kept) and kept[-1]["kld"] == there["kld"]["mean"])
    again = client.submit(model, *sent)
    checks(f"{name}: sent again, nothing is done again",
           again.returncode == 0 and "vise: step 2/2" in again.stdout and "original 1/" not in again.stdout)


def check_refusals(checks, client, options, head):
    plan = client.folder / "rounded.yaml"
    plan.write_text(ROUNDED, encoding="utf-8")
    before = head.ask("api/jobs/")
    dry = json.loads(client.submit(options.model, "--plan", plan, "--dry-run", "--json").stdout)
    known = subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{head.url}/api/packages/gcs/{dry['package']}"],
        check=False, capture_output=True, text=True).stdout
    checks("a dry run sends nothing", known == "404" and head.ask("api/jobs/") == before and not dry["sent"])
    lost = client.run("jobs", "status", "vise_nosuchjob", "--cluster", head.url)
    checks("a job that the cluster does not know is lost", lost.returncode == 1 and "lost" in lost.stdout)


# --- Sensitivity


def read_sensitivity(path):
    with safe_open(path, "np") as file:
        contents = json.loads(file.metadata()["contents"])
        return {layer["name"]: layer for layer in contents["layers"]}, load_file(path), dict(file.metadata())


def factors_off(one, other):
    """The largest relative difference of traces, and of the sums over channels of inputs and outputs."""
    (layers, vectors, _), (others, found, _) = read_sensitivity(one), read_sensitivity(other)
    if layers.keys() != others.keys():
        return float("inf")
    parts = [abs(others[name]["trace"] / layer["trace"] - 1) for name, layer in layers.items()]
    for name, wanted in vectors.items():
        parts.append(float(np.abs(wanted.astype(float) - found[name]).sum() / wanted.astype(float).sum()))
    return max(parts)


def trials_off(one, other):
    """Mean ratio of what schemes cost, and the spread of differences in their standard errors."""
    layers, others = read_sensitivity(one)[0], read_sensitivity(other)[0]
    ratios, errors = [], []
    for name, layer in layers.items():
        for mine, theirs in zip(layer["trials"], others[name]["trials"]):
            if mine["bytes"] != theirs["bytes"]:
                return float("inf"), float("inf")
            ratios.append(theirs["divergence"] / mine["divergence"])
            error = np.hypot(mine["standardError"], theirs["standardError"])
            errors.append((theirs["divergence"] - mine["divergence"]) / error)
    return float(np.median(ratios)), float(np.std(errors))


def check_sensitivity(checks, vise, client, options):
    text = ("--calibration", options.calibration, "--calibration-tokens", 2048)
    run = client.submit(options.smollm2, "--sensitivity", "--workers", 2, *text)
    if not checks("sensitivity: the job succeeds", run.returncode == 0, (run.stdout + run.stderr)[-1500:] if run.returncode else ""):
        return
    workers = {line.split("pid=")[1].split(")")[0] for line in run.stdout.splitlines() if line.startswith("(windows_sums pid=")}
    checks("sensitivity: two tasks took the windows", len(workers) == 2, f"{len(workers)} processes")
    output, _ = client.fetch("sensitivity")
    there, here = output / "sensitivity.safetensors", client.folder / "here.safetensors"
    vise("sensitivity", options.smollm2, "--text", options.calibration, "--tokens", 2048, "--gradient-tokens", 2048,
         "--window", 512, "--candidates", "int/rtn", "--output", here)
    off = factors_off(here, there)
    checks("sensitivity: factors are Vise's within 2 %", off < 0.02, f"{off:.2e}")
    ratio, spread = trials_off(here, there)
    checks("sensitivity: schemes cost what Vise finds, as far as sampled rows tell", 0.95 < ratio < 1.05 and spread < 1.5,
           f"median ratio {ratio:.3f}, differences of {spread:.2f} standard errors")
    layers, vectors, metadata = read_sensitivity(there)
    name = sorted(vectors)[len(vectors) // 2]
    damaged = client.folder / "damaged.safetensors"
    save_file({**vectors, name: vectors[name] * 1.05}, damaged, metadata=metadata)
    checks("sensitivity: a vector that is 5 % larger is found", factors_off(here, damaged) > 0.02)
    plans = {}
    for path in (here, there):
        plan = client.folder / f"{path.parent.name}-{path.stem}.yaml"
        plans[path] = vise.json("allocate", options.smollm2, "--sensitivity", path, "--budget", "6bpw", "--types", "int/rtn",
                                "--output", plan)
    klds = [plans[path]["kld"]["mean"] for path in (here, there)]
    checks("sensitivity: Vise solves a budget with it", abs(klds[1] / klds[0] - 1) < 0.2, f"{klds[0]:.5f} and {klds[1]:.5f}")


# --- What goes wrong


LONG = ("--sensitivity", "--workers", 1, "--window", 256, "--candidates", "4g64/rtn")


def groups_done(client):
    job = client.newest()
    return len(list((Path(job["folder"]) / "sensitivity").glob("windows-*.safetensors")))


def first_progress(log):
    return next((line.split()[2] for line in log.splitlines() if line.startswith("vise: gradients")), "")


def check_stopping(checks, client, options):
    arguments = (*LONG, "--calibration", options.calibration, "--calibration-tokens", 4096)
    client.submit(options.smollm2, *arguments, "--no-wait")
    done = wait_for(lambda: groups_done(client))
    stopped = client.run("jobs", "stop", client.newest()["id"])
    checks("a job is stopped", stopped.returncode == 0 and "stopped" in stopped.stdout, stopped.stdout.strip())
    checks("the list says so", client.newest()["state"] == "stopped")
    kept = groups_done(client)
    run = client.submit(options.smollm2, *arguments)
    checks("the same job goes on with the next group", run.returncode == 0 and done and first_progress(run.stdout) == f"{kept}/8",
           first_progress(run.stdout) or run.stderr[-500:])


def check_dying_head(checks, client, options, head):
    arguments = (*LONG, "--calibration", options.calibration, "--calibration-tokens", 4608)
    client.submit(options.smollm2, *arguments, "--no-wait")
    wait_for(lambda: groups_done(client))
    follower = client.start("jobs", "logs", client.newest()["id"], "--follow")
    time.sleep(3)
    head.kill()
    listed = client.newest()
    checks("while the head is gone the list says what was known", listed["state"] in ("pending?", "running?"), listed["state"])
    time.sleep(3)
    head.start()
    said = follower.communicate(timeout=120)[0]
    checks("who follows hears of the outage, and that the job is lost",
           follower.returncode == 1 and "asking again" in said and "does not know job" in said, said.splitlines()[-1])
    kept = groups_done(client)
    run = client.submit(options.smollm2, *arguments)
    checks("on the new head the same job goes on with the next group",
           run.returncode == 0 and kept >= 1 and first_progress(run.stdout) == f"{kept}/9",
           first_progress(run.stdout) or run.stderr[-500:])


STUB = """#!/bin/sh
# Stands in for vLLM, which needs GPUs: says what it was asked for, and waits.
echo "asked for: $*"
echo "INFO Starting vLLM server on http://0.0.0.0:8000"
echo "INFO:     Application startup complete."
exec sleep 600
"""


def check_serving(checks, client, options, head):
    """The step alone: what vLLM makes of it is not tried."""
    stub = head.programs / "vllm"
    stub.write_text(STUB, encoding="utf-8")
    stub.chmod(0o755)
    plan = client.folder / "served.yaml"
    plan.write_text(ROUNDED, encoding="utf-8")
    client.submit(options.model, "--plan", plan, "--serve", "--no-wait")
    job = client.newest()
    follower = client.start("jobs", "logs", job["id"], "--follow")
    heard = wait_for(lambda: "Application startup" in client.run("jobs", "logs", job["id"]).stdout)
    time.sleep(5)
    client.run("jobs", "stop", job["id"])
    said = follower.communicate(timeout=60)[0]
    wanted = f"asked for: serve {job['folder']}/model --tensor-parallel-size 1 --pipeline-parallel-size 1"
    checks("a result is served with the sizes that were chosen", heard and wanted in said, said[-300:] if wanted not in said else "")
    checks("its URL is told as it is reached from here", "serves at http://127.0.0.1:8000" in said)


def check_long_log(checks, client, head):
    lines = 100_000
    command = f"python -c \"[print('line', n) for n in range({lines})]\""
    name = head.ask("api/jobs/", {"entrypoint": command})["submission_id"]
    followed = client.run("jobs", "logs", name, "--follow", "--cluster", head.url).stdout
    read = client.run("jobs", "logs", name, "--cluster", head.url).stdout
    wanted = [f"line {number}" for number in range(lines)]
    for title, text in (("followed", followed), ("read at once", read)):
        found = [line for line in text.splitlines() if line.startswith("line ")]
        wrong = next((pair for pair in zip(found, wanted) if pair[0] != pair[1]), None)
        checks(f"a log of {lines} lines is {title}, each line once", found == wanted,
               f"{wrong[0]!r} in place of {wrong[1]!r}" if wrong else f"{len(found)} lines")


def check_key(checks, client, options):
    """A cluster that wants a token, which is Ray's own way."""
    token = "interop-0123456789abcdef0123456789abcdef"
    with Head(port=26380, dashboard=28266, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token) as head:
        plan = client.folder / "keyed.yaml"
        plan.write_text(ROUNDED, encoding="utf-8")
        arguments = (options.model, "--plan", plan, "--cluster", head.url, "--no-wait", "--work", client.folder / "keyed")
        without = client.run("submit", *arguments)
        checks("a cluster with a key refuses who has none", without.returncode == 1 and "VISE_CLUSTER_KEY" in without.stderr,
               without.stderr.strip())
        wrong = client.run("submit", *arguments, VISE_CLUSTER_KEY="wrong-key-of-nobody")
        checks("and who has a wrong one", wrong.returncode == 1 and "wrong-key-of-nobody" not in wrong.stderr, wrong.stderr.strip())
        right = client.run("submit", *arguments, VISE_CLUSTER_KEY=token)
        checks("and takes the right one", right.returncode == 0, right.stderr.strip())
        state = b"".join(path.read_bytes() for path in (client.folder / "state").rglob("*") if path.is_file())
        checks("the key is kept nowhere", token.encode() not in state and token not in right.stdout + right.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model", "--smollm2", "--text", "--calibration"):
        parser.add_argument(name, required=True)
    parser.add_argument("--only", help="names, with commas between them: sample, smollm2, sensitivity, stop, head, serve, log, key")
    options = parser.parse_args()
    for name in ("model", "smollm2", "text", "calibration"):
        setattr(options, name, str(Path(getattr(options, name)).resolve()))
    checks = Checks()
    with tempfile.TemporaryDirectory() as root, Head() as head:
        client = Client(options, Path(root), head.url)
        vise = Vise(options.binary)
        parts = {
            "sample": lambda: (check_compression(checks, vise, client, options, options.model, ROUNDED, "sample"),
                               check_refusals(checks, client, options, head)),
            "smollm2": lambda: check_compression(checks, vise, client, options, options.smollm2, CALIBRATED, "smollm2"),
            "sensitivity": lambda: check_sensitivity(checks, vise, client, options),
            "stop": lambda: check_stopping(checks, client, options),
            "head": lambda: check_dying_head(checks, client, options, head),
            "serve": lambda: check_serving(checks, client, options, head),
            "log": lambda: check_long_log(checks, client, head),
            "key": lambda: check_key(checks, client, options),
        }
        for name, part in parts.items():
            if not options.only or name in options.only.split(","):
                part()
    checks.end()


if __name__ == "__main__":
    main()
