#!/usr/bin/env python3
"""Writes Sources/CKernels/block_grids.h: the vectors that codes of ggml's IQ1, IQ2 and IQ3 types stand for.

They are part of the formats, found by ggml's authors and nowhere derived from a rule. The gguf package knows them;
here each vector is one number, its first element's code in the lowest bits. Needs requirements.txt.
"""

from pathlib import Path

import numpy as np
from gguf import quants

GRIDS = {
    "iq1": (quants.IQ1_S, "2 bits for each of eight elements: -1, 0 or 1, plus one"),
    "iq2_xxs": (quants.IQ2_XXS, "2 bits for each of eight elements: 8, 25 or 43"),
    "iq2_xs": (quants.IQ2_XS, "the same"),
    "iq2_s": (quants.IQ2_S, "the same"),
    "iq3_xxs": (quants.IQ3_XXS, "3 bits for each of four elements: 4, 12, 20, 28, 36, 44, 52 or 62"),
    "iq3_s": (quants.IQ3_S, "3 bits for each of four elements: the odd numbers from 1 to 15"),
}
A_LINE = 14


def packed(kind):
    kind.init_grid()
    codes = np.searchsorted(np.array(kind.grid_map), kind.grid.reshape(kind.grid_shape))
    bits = (len(kind.grid_map) - 1).bit_length()
    return (codes << (bits * np.arange(codes.shape[1]))).sum(axis=1)


def main():
    lines = [
        "// Private: the vectors that codes of IQ1, IQ2 and IQ3 types stand for, as Tests/Oracles/make_block_grids.py",
        "// takes them from the gguf package. The first element's code is in a number's lowest bits.",
        "#ifndef VISE_BLOCK_GRIDS_H",
        "#define VISE_BLOCK_GRIDS_H",
        "",
        "#include <stdint.h>",
    ]
    for name, (kind, what) in GRIDS.items():
        numbers = packed(kind)
        lines += ["", f"// {what[0].upper()}{what[1:]}.", f"static const uint16_t {name}_grid[{len(numbers)}] = {{"]
        for start in range(0, len(numbers), A_LINE):
            lines.append("".join(f"0x{number:04x}," for number in numbers[start : start + A_LINE]))
        lines.append("};")
    lines += ["", "#endif", ""]
    path = Path(__file__).parent.parent.parent / "Sources" / "CKernels" / "block_grids.h"
    path.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
