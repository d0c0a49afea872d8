#!/usr/bin/env python3
"""Records what others make of a GGUF file that Vise wrote: ExportTests/Fixtures/gguf-export.json.

usage: record_gguf_export.py FILE LLAMA_PERPLEXITY

FILE is written by the tests (VISE_EXPORTS=folder swift test --filter GGUFOracleTests): the sample in every block type.
LLAMA_PERPLEXITY is the tool of a llama.cpp build (the one in llama-cpp-python's source 0.3.36 was used).

  tensors   name, type, row-major shape, offset, and the SHA-256 of the values in single precision, as gguf reads them
  tokens    how llama.cpp cuts the beginning of InferenceTests/Fixtures/text.txt
  logProbs  after each of the positions from the middle of these tokens on, of every 40th token, by llama.cpp

Needs requirements.txt.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize

TESTS = Path(__file__).parent.parent
WINDOW, STRIDE = 64, 40


def tensors(path):
    found = []
    for tensor in GGUFReader(path).tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        found.append({
            "name": tensor.name, "type": tensor.tensor_type.name,
            "shape": [int(size) for size in reversed(tensor.shape)],
            "offset": int(tensor.data_offset),
            "digest": hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()})
    return found


def log_probabilities(path, tool):
    """Tokens of the first window, and the log-probabilities (positions x vocabulary) of its second half."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "logits"
        subprocess.run(
            [tool, "-m", path, "-f", str(TESTS / "InferenceTests/Fixtures/text.txt"), "-t", "1",
             "-c", str(WINDOW), "-b", str(WINDOW), "--chunks", "1",
             "--save-all-logits", str(saved)], check=True, capture_output=True)
        data = saved.read_bytes()
    assert data[:8] == b"_logits_"
    window, vocabulary, chunks = np.frombuffer(data, np.int32, 3, 8)
    assert (window, chunks) == (WINDOW, 1)
    tokens = np.frombuffer(data, np.int32, window, 20)
    width = 2 * ((vocabulary + 1) // 2) + 4
    rows = np.frombuffer(data, np.uint16, offset=20 + 4 * window).reshape(-1, width)
    scales = rows[:, :4].copy().view(np.float32)
    return tokens, scales[:, :1] * rows[:, 4:4 + vocabulary] + scales[:, 1:]


def main(path, tool):
    tokens, values = log_probabilities(path, tool)
    sampled = np.ascontiguousarray(values[:, ::STRIDE], dtype=np.float32)
    record = {
        "tensors": tensors(path), "tokens": tokens.tolist(), "first": WINDOW // 2,
        "stride": STRIDE, "logProbs": base64.b64encode(sampled.tobytes()).decode()}
    file = TESTS / "ExportTests/Fixtures/gguf-export.json"
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
