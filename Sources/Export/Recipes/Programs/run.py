#!/usr/bin/env python3
"""Carries recipe.yaml out with llm-compressor.

usage: run.py MODEL OUTPUT [--text FILE] [--windows 32] [--window 512]

FILE is a text, or windows of tokens that Vise packed (.json). Blocks come to the GPU one after the other, so that one GPU
suffices. Under torchrun each process calibrates on its share of the windows.
"""

import argparse
import os
from contextlib import nullcontext
from pathlib import Path

from datasets import Dataset
from llmcompressor import oneshot
from transformers import AutoModelForCausalLM, AutoTokenizer

from windows import read_windows


def distributed():
    """This process's number and how many there are; joins them if there are several."""
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world > 1:
        from compressed_tensors.offload import init_dist

        init_dist()
    return rank, world


def load(name, world):
    """The model in the processor's memory; several processes share one copy."""
    context, place = nullcontext(), {}
    if world > 1:
        from compressed_tensors.offload import load_offloaded_model

        context, place = load_offloaded_model(), {"device_map": "auto_offload"}
    with context:
        return AutoModelForCausalLM.from_pretrained(name, dtype="auto", **place)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("output")
    parser.add_argument("--text", help="what methods that calibrate read")
    parser.add_argument("--windows", type=int, default=32)
    parser.add_argument("--window", type=int, default=512)
    options = parser.parse_args()
    rank, world = distributed()
    model = load(options.model, world)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    data = {}
    if options.text:
        windows = read_windows(options.text, lambda: tokenizer, options.windows, options.window)[rank::world]
        if not windows:
            raise SystemExit(f"{options.text}: has fewer windows than there are processes ({world})")
        masks = [[1] * len(window) for window in windows]
        data = {
            "dataset": Dataset.from_dict({"input_ids": windows, "attention_mask": masks}),
            "num_calibration_samples": len(windows),
            "max_seq_length": len(windows[0]),
        }
    oneshot(model=model, recipe=str(Path(__file__).with_name("recipe.yaml")), **data)
    model.save_pretrained(options.output, save_compressed=True)
    if rank == 0:
        tokenizer.save_pretrained(options.output)


if __name__ == "__main__":
    main()
