#!/usr/bin/env python3
"""Lets a server answer from what Vise exports, and compares its text with Vise's own under the same plan.

usage: served.py --binary VISE [--model MODEL] [--tools FOLDER | --url URL [--served-model NAME] --plan PLAN] [--tokens N]

Without --url, each plan below is exported as GGUF and served by llama-cpp-python's server, over the library that is in
FOLDER, or is built there (some minutes) the first time; with it, a server that already runs must have the export of PLAN.
Prompts are answered greedily. Where nothing is quantized the first N tokens are the same; else the first half of them,
since servers round what quantized layers read, and so part from Vise sooner or later. Needs requirements-llama.txt.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "Benchmarks"))
import llama_tools  # noqa: E402

PLANS = {
    "kept": "vise: 1\nrules: []\n",
    "Q8_0": """vise: 1
rules:
  - { layers: "*", type: Q8_0 }
""",
    "mixed": """vise: 1
rules:
  - { layers: "*", type: Q4_0, range: mse }
  - { layers: "*embed_tokens", type: Q8_0 }
  - { layers: "*down_proj", type: Q5_1 }
""",
}
PROMPTS = ["And it came to pass", "In the beginning", "Now these are the"]
PATIENCE = 120  # seconds for a server to start


def answers(options, plan, url, prompt):
    """Both texts, and the speed that Vise saw of the server."""
    command = [options.binary, "generate", options.model, "--plan", str(plan), "--prompt", prompt, "--raw",
               "--tokens", str(options.tokens), "--serve", url, "--json"]
    if options.served_model:
        command += ["--served-model", options.served_model]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"FAILED {' '.join(command)}\n{run.stderr}")
    result = json.loads(run.stdout)
    return result["compressed"]["text"], result["served"]["text"], result["served"]["tokens_per_second"]


def failures(options, name, plan, url):
    count = 0
    for prompt in PROMPTS:
        own, served, speed = answers(options, plan, url, prompt)
        shared = len(os.path.commonprefix([own, served]))
        is_same = own != "" and shared >= len(own) * (1 if name == "kept" else 0.5)
        count += not is_same
        what = f"{name}, {prompt!r}: {shared} of {len(own)} characters, {speed or 0:.0f} tok/s"
        print(f"{'ok' if is_same else 'FAILED':6} {what}" + ("" if is_same else f"\n  Vise   {own!r}\n  served {served!r}"))
    return count


class LlamaServer:
    """llama-cpp-python's server on a port of its own, for as long as the block runs."""

    def __init__(self, file, tools):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server", "--model", str(file), "--host", "127.0.0.1", "--port", str(port),
             "--n_threads", str(len(os.sched_getaffinity(0))), "--n_ctx", "512"],
            stdout=self.log, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(llama_tools.bindings(tools).__file__))})

    def __enter__(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/v1/models", timeout=5).read()
                return self.url
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        self.__exit__()
        self.log.seek(0)
        sys.exit(f"FAILED the server does not start:\n{self.log.read()[-2000:]}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", default="Samples/scripture")
    parser.add_argument("--tools")
    parser.add_argument("--url")
    parser.add_argument("--served-model")
    parser.add_argument("--plan")
    parser.add_argument("--tokens", type=int, default=12)
    options = parser.parse_args()
    if (options.url is None) != (options.plan is None):
        parser.error("--url and --plan belong together")
    if (options.url is None) == (options.tools is None):
        parser.error("name either a server or a folder with llama.cpp")
    if options.url:
        count = failures(options, options.plan, options.plan, options.url)
    else:
        count = 0
        with tempfile.TemporaryDirectory() as folder:
            for name, text in PLANS.items():
                plan, file = Path(folder, "plan.yaml"), Path(folder, f"{name}.gguf")
                plan.write_text(text)
                subprocess.run(
                    [options.binary, "export", options.model, "--plan", str(plan), "--format", "gguf", "--output",
                     str(file)], check=True, stdout=subprocess.DEVNULL)
                with LlamaServer(file, options.tools) as url:
                    count += failures(options, name, plan, url)
    sys.exit(1 if count else 0)


main()
