#!/usr/bin/env python3
"""Lets llama.cpp load what Vise exports as GGUF, and compares all logits with those of Vise's own compressed model.

usage: llama_cpp.py --binary VISE --model MODEL --text TEXT --tools FOLDER [--plans NAME,...] [--tokens 256] [--recipes]

Each plan of every block type, or those named, is exported and loaded by llama-cpp-python. llama.cpp computes twice:

- exactly: batches of 32 tokens and more go through OpenBLAS, which multiplies decoded weights in 32-bit floats. No logit of
  any token may differ from `vise logits` by more than 1e-4 of the largest one.
- as it serves: smaller batches go through the kernels of each block type, which round what a layer reads to 8 bits, with
  steps of a block's largest value over 127. That is noise of c^2/127^2/12 of the inputs' energy, where c is the largest
  value over their root mean square: about 2.2 in blocks of 32 normal values and 2.9 in the K types' of 256. What a block
  adds to the hidden states has gone through two such roundings, so that for each block of the model the logits may have
  1e-4 of their energy as noise.

Both find wrong weights: in damaged copies one block's scale a quarter too large, or its nibbles swapped, is too much for the
first comparison, and a layer of such blocks for the second.

With --recipes, tensor types of each plan go through llama-quantize, too: its file must have them, load, and be as
perplexed within 15 % (llama-quantize rounds in its own way). FOLDER is where llama.cpp is, or is built (some minutes) the
first time. Needs requirements-llama.txt.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from gguf import GGUFReader
from safetensors.numpy import load_file

from interop import Checks, Vise, block_plans

sys.path.append(str(Path(__file__).parents[2] / "Benchmarks"))
import llama_tools  # noqa: E402

EXACT, A_BLOCK, REQUANTIZED = 1e-4, 1e-4, 0.15
# Tokens at a time that llama.cpp does not give to OpenBLAS.
SERVED = 16
DAMAGED = "blk.1.ffn_down.weight"


class Llama:
    """llama.cpp as a package, and how it is asked for logits."""

    def __init__(self, folder):
        self.package = llama_tools.bindings(folder)

    def logits(self, file, ids, batch):
        """The logits after each token, read in batches of so many."""
        floats = self.package.GGML_TYPE_F32
        model = self.package.Llama(
            str(file), n_ctx=len(ids), n_batch=batch, n_ubatch=batch, n_threads=2, n_threads_batch=2, logits_all=True,
            type_k=floats, type_v=floats, flash_attn=False, verbose=False)
        model.eval(ids)
        found = numpy.array(model.scores[: len(ids)], numpy.float32)
        model.close()
        return found

    def tokens(self, file, text):
        model = self.package.Llama(str(file), vocab_only=True, verbose=False)
        found = model.tokenize(text, add_bos=False, special=False)
        model.close()
        return found


def centred(logits):
    return logits - logits.mean(1, keepdims=True)


def noise(found, expected):
    """The energy of the difference over that of what is expected, whatever constant is added to a token's logits."""
    return float(numpy.sum(centred(found - expected) ** 2) / numpy.sum(centred(expected) ** 2))


def perplexity(logits, ids):
    wide = logits[:-1].astype(numpy.float64)
    wide -= wide.max(1, keepdims=True)
    chosen = wide[numpy.arange(len(ids) - 1), ids[1:]] - numpy.log(numpy.exp(wide).sum(1))
    return float(numpy.exp(-chosen.mean()))


def damaged(file, what, count, copy):
    """A copy in which Q4_0 blocks of a layer, one or all, have scales a quarter larger, or their nibbles swapped."""
    shutil.copy(file, copy)
    tensor, = (tensor for tensor in GGUFReader(file).tensors if tensor.name == DAMAGED)
    with copy.open("r+b") as stream:
        stream.seek(tensor.data_offset)
        blocks = numpy.frombuffer(stream.read(int(tensor.n_bytes)), numpy.uint8).reshape(-1, 18).copy()
        chosen = blocks[: count or len(blocks)]
        if what == "scale":
            chosen[:, :2] = (chosen[:, :2].copy().view("<f2") * numpy.float16(1.25)).view(numpy.uint8)
        else:
            chosen[:, 2:] = chosen[:, 2:] >> 4 | chosen[:, 2:] << 4
        stream.seek(tensor.data_offset)
        stream.write(blocks.tobytes())
    return copy


def furthest(found, expected):
    """The largest difference of two logits, over the largest logit."""
    return float(numpy.abs(found - expected).max() / numpy.abs(expected).max())


def check_logits(checks, llama, name, file, expected, ids, blocks):
    off = furthest(llama.logits(file, ids, len(ids)), expected)
    checks(f"llama.cpp, {name}, exactly", off <= EXACT, f"{len(ids)} positions, furthest logit {off:.1e} of the largest")
    rounded = noise(llama.logits(file, ids, SERVED), expected)
    checks(f"llama.cpp, {name}, as it serves", rounded <= A_BLOCK * blocks,
           f"noise {rounded:.1e}, at most {A_BLOCK * blocks:.1e}")


def check_damage(checks, llama, file, expected, ids, blocks, copy):
    for what in ("scale", "nibbles"):
        off = furthest(llama.logits(damaged(file, what, 1, copy), ids, len(ids)), expected)
        checks(f"llama.cpp, Q4_0 with one block's {what} wrong, is noticed", off > EXACT, f"{off:.1e}")
        rounded = noise(llama.logits(damaged(file, what, None, copy), ids, SERVED), expected)
        checks(f"llama.cpp, Q4_0 with a layer's {what} wrong, is noticed as it serves", rounded > A_BLOCK * blocks,
               f"{rounded:.1e}")


def check_recipe(checks, vise, llama, name, plan, own, source, ids, expected, options, root):
    recipe = vise.export(options.model, plan, "llama.cpp", root / f"{name}-recipe", "--format", "recipe")
    file = root / "quantized.gguf"
    run = subprocess.run(
        [llama_tools.tool("llama-quantize", options.tools), "--tensor-type-file",
         str(recipe / "tensor-types.txt"), str(source), str(file), "Q8_0"],
        check=False, capture_output=True, text=True)
    if not checks(f"llama-quantize, {name}, runs", run.returncode == 0, run.stderr[-200:] if run.returncode else ""):
        return
    types = [{tensor.name: tensor.tensor_type.name for tensor in GGUFReader(path).tensors} for path in (own, file)]
    other = [tensor for tensor in types[0] if types[0][tensor] != types[1].get(tensor)]
    ppl, ours = perplexity(llama.logits(file, ids, len(ids)), ids), perplexity(expected, ids)
    checks(f"llama-quantize, {name}, has the plan's types and loads",
           not other and abs(ppl / ours - 1) <= REQUANTIZED, f"PPL {ppl:.2f}, Vise {ours:.2f} {other[:3] or ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model", "--text", "--tools"):
        parser.add_argument(name, required=True)
    parser.add_argument("--plans", help="names, with commas between them; all without")
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--recipes", action="store_true")
    options = parser.parse_args()
    vise, checks, llama = Vise(options.binary), Checks(), Llama(options.tools)
    plans = block_plans()
    chosen = options.plans.split(",") if options.plans else list(plans)
    if "kept" not in chosen and options.recipes:
        sys.exit("--recipes begins with the plan kept, which llama-quantize reads")
    blocks = 1 + max(layer.get("block", 0) for layer in vise.json("inspect", options.model)["layers"])
    with tempfile.TemporaryDirectory() as folder:
        root, source = Path(folder), None
        plan, numbers = root / "plan.yaml", root / "logits.safetensors"
        for name in chosen:
            plan.write_text(plans[name], encoding="utf-8")
            file = vise.export(options.model, plan, "llama.cpp", root / f"{name}.gguf")
            vise("logits", options.model, "--plan", plan, "--text", options.text, "--tokens", options.tokens,
                 "--output", numbers, "--replace")
            found = load_file(numbers)
            ids, expected = found["token_ids"].tolist(), found["logits"]
            if source is None:
                source = file
                text = Path(options.text).read_bytes()
                checks("llama.cpp, the same tokens", llama.tokens(file, text)[: len(ids)] == ids, f"{len(ids)} tokens")
            check_logits(checks, llama, name, file, expected, ids, blocks)
            if name == "Q4_0":
                check_damage(checks, llama, file, expected, ids, blocks, root / "damaged.gguf")
            if options.recipes and name != "kept":
                check_recipe(checks, vise, llama, name, plan, file, source, ids, expected, options, root)
            if file != source:
                file.unlink()
    checks.end()


if __name__ == "__main__":
    main()
