#!/usr/bin/env python3
"""Records which type llama-quantize gives each tensor: AllocationTests/Fixtures/llama_mixes.json.

usage: record_llama_mixes.py LLAMA_QUANTIZE

LLAMA_QUANTIZE is the tool of a llama.cpp build (the one in llama-cpp-python's source 0.3.36 was used). It is run with
--dry-run on two models without weights to speak of: one whose rows divide by 256, one whose rows do not.
Needs requirements.txt.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from gguf import GGUFWriter

BLOCKS = 20
MIXES = """Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_0 Q4_1 Q4_K_S Q4_K_M
           Q5_0 Q5_1 Q5_K_S Q5_K_M Q6_K Q8_0""".split()
# Hidden size, heads, key-value heads, whether the head is a tensor of its own.
MODELS = {"even": (256, 8, 2, True), "odd": (64, 6, 2, False)}
INTERMEDIATE, VOCABULARY, HEAD_SIZE = 256, 32, 32


def tensors(hidden, heads, kv_heads, has_head):
    """Rows and columns of every matrix, by GGUF name."""
    shapes = {"token_embd": (VOCABULARY, hidden)}
    if has_head:
        shapes["output"] = (VOCABULARY, hidden)
    for block in range(BLOCKS):
        for name, rows, columns in [
            ("attn_q", heads * HEAD_SIZE, hidden),
            ("attn_k", kv_heads * HEAD_SIZE, hidden),
            ("attn_v", kv_heads * HEAD_SIZE, hidden),
            ("attn_output", hidden, heads * HEAD_SIZE),
            ("ffn_gate", INTERMEDIATE, hidden),
            ("ffn_up", INTERMEDIATE, hidden),
            ("ffn_down", hidden, INTERMEDIATE),
        ]:
            shapes[f"blk.{block}.{name}"] = (rows, columns)
    return shapes


def write_model(path, hidden, heads, kv_heads, has_head):
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(BLOCKS)
    writer.add_context_length(128)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    for name, shape in tensors(hidden, heads, kv_heads, has_head).items():
        writer.add_tensor(f"{name}.weight", np.zeros(shape, np.float16))
    for block in range(BLOCKS):
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{block}.{norm}.weight", np.ones(hidden, np.float32))
    writer.add_tensor("output_norm.weight", np.ones(hidden, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_imatrix(path, shapes):
    writer = GGUFWriter(path, "")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["none"])
    writer.add_uint32("imatrix.chunk_count", 1)
    writer.add_uint32("imatrix.chunk_size", 512)
    for name, (_, columns) in shapes.items():
        writer.add_tensor(f"{name}.weight.in_sum2", np.ones((1, columns), np.float32))
        writer.add_tensor(f"{name}.weight.counts", np.ones((1, 1), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def types(quantize, model, imatrix, mix):
    """The type of every matrix, by GGUF name without `.weight`."""
    command = [quantize, "--dry-run", "--imatrix", imatrix, model, mix]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.findall(r"\] (\S+)\.weight .*->.*\((\w+)\)", run.stdout + run.stderr)
    return {name: type.upper() for name, type in found}


def main():
    quantize = sys.argv[1]
    record = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in MODELS.items():
            model, imatrix = f"{folder}/{name}.gguf", f"{folder}/{name}.imatrix.gguf"
            write_model(model, *settings)
            write_imatrix(imatrix, tensors(*settings))
            hidden, heads, kv_heads, has_head = settings
            record[name] = {
                "hidden": hidden, "intermediate": INTERMEDIATE, "blocks": BLOCKS, "heads": heads,
                "keyValueHeads": kv_heads, "headSize": HEAD_SIZE, "vocabulary": VOCABULARY,
                "hasHead": has_head,
                "mixes": {mix: types(quantize, model, imatrix, mix) for mix in MIXES},
            }
            for mix, found in record[name]["mixes"].items():
                assert len(found) == len(tensors(*settings)), (name, mix, len(found))
    path = Path(__file__).parents[1] / "AllocationTests/Fixtures/llama_mixes.json"
    path.write_text(json.dumps(record, separators=(",", ":")) + "\n")


main()
