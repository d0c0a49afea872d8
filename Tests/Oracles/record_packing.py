"""Records how compressed-tensors packs codes into 32-bit words.

Writes Tests/CompressionTests/Fixtures/packing.json: unsigned codes, and the words that they become
packed along rows (as weights are) and down columns (as zero points are).

    pip install -r Tests/Oracles/requirements-record.txt
    python Tests/Oracles/record_packing.py
"""

import json
import pathlib
import random

import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32

OUT = pathlib.Path(__file__).parent.parent / "CompressionTests" / "Fixtures" / "packing.json"


def words(packed):
    return [[word & 0xFFFFFFFF for word in row] for row in packed.tolist()]


def main():
    random.seed(1)
    cases = []
    for bits in range(1, 9):
        for rows, columns in ((2, 32), (3, 40), (1, 7), (5, 13), (33, 3)):
            codes = [[random.randrange(1 << bits) for _ in range(columns)] for _ in range(rows)]
            # It takes signed values and adds 2^(bits - 1) itself.
            signed = torch.tensor(codes, dtype=torch.int16) - (1 << (bits - 1))
            signed = signed.to(torch.int8)
            cases.append(
                {
                    "bits": bits,
                    "codes": codes,
                    "alongRows": words(pack_to_int32(signed, bits)),
                    "downColumns": words(pack_to_int32(signed, bits, packed_dim=0)),
                }
            )
    OUT.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    print(len(cases), "cases,", OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
