"""Records an imatrix that llama.cpp makes, for CheckpointsTests and InferenceTests.

usage: record_imatrix.py LLAMA_IMATRIX     LLAMA_IMATRIX: llama.cpp's program llama-imatrix

Writes CheckpointsTests/Fixtures/tiny-imatrix.gguf: what the layers of tiny.gguf read in four windows of 64
tokens of InferenceTests/Fixtures/text.txt. Made with llama.cpp 0c1e57098 (October 2026), to be had from the
source package of llama-cpp-python 0.3.36.
"""

import os
import subprocess
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FIXTURES = os.path.join(TESTS, "CheckpointsTests", "Fixtures")

subprocess.run(
    [sys.argv[1], "-m", os.path.join(FIXTURES, "tiny.gguf"), "-f", "text.txt", "-c", "64",
     "--chunks", "4", "-t", "1", "-o", os.path.join(FIXTURES, "tiny-imatrix.gguf")],
    cwd=os.path.join(TESTS, "InferenceTests", "Fixtures"), check=True)
