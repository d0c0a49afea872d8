#!/usr/bin/env python3
"""Decode speed as ratios: Vise's reference, Vise at 8 and 4 bits, and llama.cpp on the same GGUF.

    decode.py --binary .build/release/vise --model .models/smollm2.gguf [--rounds 5] [--tokens 96]

Rounds alternate between the contestants, so that each ratio compares runs of the same minute; the
median of the rounds is printed, beside the smallest and the largest. llama.cpp runs when the package
`llama-cpp-python` is installed in the Python that runs this script, and is left out, saying so, when not.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

PROMPT = "The sea is a vast body of water that"


def vise(binary, model, tokens, *options):
    """Tokens a second of one side of one run of the binary."""
    output = subprocess.run(
        [binary, "generate", model, "--raw", "--prompt", PROMPT, "--tokens", str(tokens), "--json",
         *options], capture_output=True, text=True, check=True).stdout
    result = json.loads(output)
    side = result.get("compressed") or result["reference"]
    return side["tokens_per_second"]


def llama(model, threads):
    """A function that decodes with llama.cpp and returns tokens a second, or None without it."""
    try:
        from llama_cpp import Llama
    except ImportError:
        return None
    engine = Llama(model_path=model, n_ctx=512, n_threads=threads, verbose=False)

    def run(tokens):
        engine.reset()
        engine.eval(engine.tokenize(PROMPT.encode()))
        start = time.perf_counter()
        for _ in range(tokens):
            engine.eval([engine.sample(temp=0.0)])
        return tokens / (time.perf_counter() - start)

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/vise")
    parser.add_argument("--model", default=".models/smollm2.gguf")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=96)
    options = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    contestants = {"vise reference": lambda: vise(options.binary, options.model, options.tokens)}
    for bits in (8, 4):
        plan = os.path.join(here, f"uniform-{bits}.yaml")
        contestants[f"vise {bits} bit"] = lambda plan=plan: vise(
            options.binary, options.model, options.tokens, "--plan", plan)
    rival = llama(options.model, len(os.sched_getaffinity(0)))
    if rival:
        contestants["llama.cpp"] = lambda: rival(options.tokens)
    else:
        print("llama.cpp left out: llama-cpp-python is not installed")
    rounds = [{name: run() for name, run in contestants.items()} for _ in range(options.rounds)]
    base = "llama.cpp" if rival else "vise reference"
    print(f"tokens a second over those of {base}, {options.rounds} rounds: median (least to most)")
    for name in contestants:
        ratios = sorted(r[name] / r[base] for r in rounds)
        print(f"  {name:16} {statistics.median(ratios):5.2f}  ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
