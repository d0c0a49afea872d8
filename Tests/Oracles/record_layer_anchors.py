"""Records the SQNR of one real layer under several conventions.

Reads model.layers.0.mlp.down_proj of SmolLM2-135M-Instruct as a Hugging Face directory. Writes
Tests/CompressionTests/Fixtures/layer_anchors.json.

    pip install -r Tests/Oracles/requirements.txt
    python Tests/Oracles/record_layer_anchors.py path/to/smollm2-hf

`ours` is what Vise does (absmax / ((2^b - 1) / 2), scales in the checkpoint's 16-bit type). The two
other symmetric conventions, with scales in double precision, tell how far it is from them:
`signed_max` puts the largest weight of a row on the lowest code, `absmax` on the highest.
"""

import json
import pathlib
import struct
import sys

import numpy as np
import record_rtn as rtn

OUT = pathlib.Path(__file__).parent.parent / "CompressionTests" / "Fixtures" / "layer_anchors.json"
LAYER = "model.layers.0.mlp.down_proj"


def read(directory):
    with open(pathlib.Path(directory) / "model.safetensors", "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        entry = json.loads(file.read(size))[LAYER + ".weight"]
        start, end = entry["data_offsets"]
        file.seek(8 + size + start)
        bits = np.frombuffer(file.read(end - start), np.uint16).reshape(entry["shape"])
    return entry["dtype"], rtn.TYPES[entry["dtype"]][1](bits)


def sqnr(before, after):
    return float(rtn.metrics(before, after)["sqnr"])


def other_conventions(weights, bits):
    w = weights.astype(np.float64)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    rows = np.arange(len(w))
    scales = {
        "absmax": np.abs(w).max(1) / high,
        "signed_max": w[rows, np.abs(w).argmax(1)] / low,
    }
    return {
        name: sqnr(w, np.clip(np.rint(w / s[:, None]), low, high) * s[:, None])
        for name, s in scales.items()
    }


def main():
    kind, weights = read(sys.argv[1])
    anchors = []
    for bits in (4, 8):
        for symmetric in (True, False):
            for group in ("channel", 64):
                decoded = rtn.quantize(weights, bits, group, symmetric, kind)[3]
                anchors.append(
                    {
                        "bits": bits,
                        "symmetric": symmetric,
                        "group": str(group),
                        "ours": sqnr(weights, decoded),
                    }
                )
    others = {str(bits): other_conventions(weights, bits) for bits in (4, 8)}
    recording = {"layer": LAYER, "type": kind, "anchors": anchors, "others": others}
    OUT.write_text(json.dumps(recording, indent=1) + "\n")
    print(OUT.read_text())


if __name__ == "__main__":
    main()
