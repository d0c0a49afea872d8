#!/usr/bin/env python3
"""Lets vLLM serve on a CPU what Vise exports for it, and compares what it expects of a text with Vise's compressed model.

usage: vllm_cpu.py --binary VISE --model DIRECTORY --text TEXT [--plans NAME,...] [--tokens 192] [--group 64]
       vllm_cpu.py --serve EXPORT [--port 8000] [--name NAME]

Each plan is exported for the target vllm-cpu and served over vLLM's OpenAI-compatible API, which tells the log-probability
of each token of the text and answers it greedily. vLLM computes in BF16, and with W8A8 rounds each token's inputs to 8 bits:
log-probabilities may be off by BF16 nats (root mean square over tokens), or by ROUNDED where inputs are rounded, times the
square root of the model's blocks, whose roundings are independent; what 8 bits a token lose depends on how far a few inputs
stand out, and they do in SmolLM2 (0.036 where the sample has 0.015). That this tells models apart is shown by the same
figure for another plan's model, which must be above: the model as it is, or where 8 bits are too near to that, with 4 bits.

With --serve it keeps a server running until it is interrupted, for the workbench or anybody else to talk to. Runs with the
Python of an environment that has vllm-cpu (requirements-vllm.txt).
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy
from safetensors.numpy import load_file

from interop import Checks, Vise

# In nats, for a single block.
BF16, ROUNDED = 0.015, 0.05
# Rules, how far off they may be, and the plan that they must be told from.
PLANS = {
    "kept": ("{ layers: \"*\", keep: true }", BF16, "4 bit"),
    "4 bit": ("{ layers: \"re:.*proj\", bits: 4, group: GROUP }", BF16, "kept"),
    "4 bit with zero points": (
        "{ layers: \"re:.*proj\", bits: 4, group: GROUP, symmetric: false }", BF16, "kept"),
    "4 bit in all groups": (
        "{ layers: \"re:.*(q|k|v)_proj\", bits: 4, group: 16 }\n"
        "  - { layers: \"*.o_proj\", bits: 4, group: channel }\n"
        "  - { layers: \"re:.*(gate|up)_proj\", bits: 4, group: 128, symmetric: false }\n"
        "  - { layers: \"*.down_proj\", bits: 4, group: 256 }\n"
        "  - { layers: \"re:model.layers.1.*proj\", bits: 4, group: channel, symmetric: false }", BF16, "kept"),
    "W8A8": ("{ layers: \"re:.*proj\", bits: 8, group: channel }", ROUNDED, "4 bit"),
    "mixed": (
        "{ layers: \"re:.*proj\", bits: 4, group: GROUP }\n"
        "  - { layers: \"*.self_attn.*\", bits: 8, group: channel }\n"
        "  - { layers: \"model.layers.1.*\", keep: true }", ROUNDED, "kept"),
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1",
           "VLLM_CPU_KVCACHE_SPACE": "1"}
PATIENCE = 600  # seconds until a server that does not come up has failed


class Server:
    """vLLM with one model, in a process of its own until it is closed."""

    def __init__(self, folder, port, name, log):
        self.url, self.name = f"http://127.0.0.1:{port}", name
        self.log = log
        # `vllm serve` of this wheel asks for a package called vllm, and ends.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder),
             "--served-model-name", name, "--host", "127.0.0.1", "--port", str(port), "--enforce-eager",
             "--max-model-len", "512", "--dtype", "bfloat16"],
            env={**os.environ, **OFFLINE}, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def wait(self):
        """Waits until the server answers; false if it ends before."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=5).close()
                return True
            except (urllib.error.URLError, OSError):
                time.sleep(1)
        return False

    def ask(self, path, **fields):
        request = urllib.request.Request(
            self.url + path, json.dumps({"model": self.name, **fields}).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def close(self):
        if self.process.poll() is None:
            # It is the leader of a session of its own, with the engine in it.
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def followers(logits, ids):
    """The log-probability of each token after the first, and the most probable one."""
    wide = logits[:-1].astype(numpy.float64)
    wide -= wide.max(1, keepdims=True)
    wide -= numpy.log(numpy.exp(wide).sum(1, keepdims=True))
    return wide[numpy.arange(len(ids) - 1), ids[1:]], wide.argmax(1)


def served(server, ids):
    """The same as vLLM tells it."""
    answer = server.ask("/v1/completions", prompt=ids, max_tokens=1, temperature=0, prompt_logprobs=1)
    places = answer["choices"][0]["prompt_logprobs"][1:]
    probable = [next(int(token) for token, told in place.items() if told["rank"] == 1) for place in places]
    return numpy.array([place[str(token)]["logprob"] for place, token in zip(places, ids[1:])]), numpy.array(probable)


def root_mean_square(values):
    return float(numpy.sqrt(numpy.mean(values**2)))


def written_plan(options, root, name):
    plan = root / f"{name.replace(' ', '-')}.yaml"
    plan.write_text(f"vise: 1\nrules:\n  - {PLANS[name][0].replace('GROUP', str(options.group))}\n", encoding="utf-8")
    return plan


def expected_by_vise(vise, options, root, name):
    """The text's tokens, the log-probability of each after the first, and the most probable one there."""
    path = root / "logits.safetensors"
    vise("logits", options.model, "--plan", written_plan(options, root, name), "--text", options.text,
         "--tokens", options.tokens, "--output", path, "--replace")
    found = load_file(path)
    ids = found["token_ids"].tolist()
    return ids, *followers(found["logits"], ids)


def check_served(checks, vise, options, root, name, blocks):
    _, a_block, other = PLANS[name]
    limit = a_block * blocks**0.5
    plan = written_plan(options, root, name)
    folder = vise.export(options.model, plan, "vllm-cpu", root / plan.stem)
    ids, expected, best = expected_by_vise(vise, options, root, name)
    with (root / "log.txt").open("w+b") as log:
        server = Server(folder, free_port(), "vise", log)
        try:
            if not checks(f"vLLM, {name}, serves", server.wait()):
                log.seek(0)
                print(log.read()[-3000:].decode(errors="replace"), file=sys.stderr)
                return
            found, probable = served(server, ids)
            off = root_mean_square(found - expected)
            checks(f"vLLM, {name}, expects what Vise does", off <= limit,
                   f"{off:.4f} nats apart, at most {limit:.4f}; the same best token {100 * (probable == best).mean():.1f} %")
            apart = root_mean_square(found - expected_by_vise(vise, options, root, other)[1])
            checks(f"vLLM, {name}, is told from {other}", apart > limit, f"{apart:.4f} nats")
            check_answer(checks, vise, options, server, plan, name)
        finally:
            server.close()


def check_answer(checks, vise, options, server, plan, name):
    """Both answer greedily; BF16 may part them later on, where two tokens are about as probable."""
    prompt = Path(options.text).read_text(encoding="utf-8")[:200].rsplit(" ", 1)[0]
    ours = vise.json("generate", options.model, "--plan", plan, "--raw", "--prompt", prompt, "--tokens", 24)
    theirs = server.ask("/v1/completions", prompt=prompt, max_tokens=24, temperature=0)["choices"][0]["text"]
    text = ours["compressed"]["text"]
    common = len(os.path.commonprefix([text, theirs]))
    checks(f"vLLM, {name}, begins its answer as Vise does", common > 0 or not text, f"{common} of {len(text)} characters")


def serve(options):
    server = Server(options.serve, options.port, options.name, None)
    try:
        if not server.wait():
            sys.exit("vLLM did not come up")
        print(f"serving {options.serve} as {options.name} at {server.url}/v1; ctrl-c ends it", flush=True)
        server.process.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model", "--text"):
        parser.add_argument(name)
    parser.add_argument("--plans", help="names, with commas between them; all without")
    parser.add_argument("--tokens", type=int, default=192)
    parser.add_argument("--group", type=int, default=64)
    parser.add_argument("--serve")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--name", default="vise")
    options = parser.parse_args()
    if options.serve:
        serve(options)
        return
    if not (options.binary and options.model and options.text):
        parser.error("--binary, --model and --text say what to compare, or --serve what to serve")
    vise, checks = Vise(options.binary), Checks()
    blocks = 1 + max(layer.get("block", 0) for layer in vise.json("inspect", options.model)["layers"])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in options.plans.split(",") if options.plans else PLANS:
            check_served(checks, vise, options, root, name, blocks)
    checks.end()


if __name__ == "__main__":
    main()
