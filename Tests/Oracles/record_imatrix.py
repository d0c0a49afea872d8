"""Records an imatrix that llama.cpp makes, for CheckpointsTests and InferenceTests.

usage: record_imatrix.py LLAMA_IMATRIX MIXTURE
    LLAMA_IMATRIX: llama.cpp's program llama-imatrix
    MIXTURE: a GGUF file of a mixture of experts; recorded with a Qwen3-MoE of random weights, two blocks of hidden
    size 128, eight experts of inner size 64, two a token

Writes CheckpointsTests/Fixtures/tiny-imatrix.gguf: what the layers of tiny.gguf read in four windows of 64
tokens of InferenceTests/Fixtures/text.txt; and experts-imatrix.gguf, what those of MIXTURE read in one. Made with llama.cpp 0c1e57098 (October 2026), to be had from the
source package of llama-cpp-python 0.3.36.
"""

import os
import subprocess
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FIXTURES = os.path.join(TESTS, "CheckpointsTests", "Fixtures")

for model, chunks, name in (
    (os.path.join(FIXTURES, "tiny.gguf"), "4", "tiny-imatrix.gguf"),
    (os.path.abspath(sys.argv[2]), "1", "experts-imatrix.gguf"),
):
    subprocess.run(
        [sys.argv[1], "-m", model, "-f", "text.txt", "-c", "64", "--chunks", chunks, "-t", "1",
         "-o", os.path.join(FIXTURES, name)],
        cwd=os.path.join(TESTS, "InferenceTests", "Fixtures"), check=True)
