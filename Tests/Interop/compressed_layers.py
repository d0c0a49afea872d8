"""compressed-tensors' formats read with numpy alone: an independent opinion on what an export's bytes mean."""

import json
from pathlib import Path

import numpy

# Bytes an element, by safetensors' names.
SIZES = {"I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I8": 1, "U8": 1, "F8_E4M3": 1}
PLAIN = {"I64": "<i8", "F32": "<f4", "I32": "<i4", "F16": "<f2", "I8": "i1", "U8": "u1"}
E2M1 = numpy.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], numpy.float32)


def e4m3(codes):
    """The values of 8-bit floats: a sign, 4 bits of exponent with bias 7, 3 of mantissa; no infinities."""
    exponent, mantissa = (codes >> 3 & 15).astype(numpy.int32), (codes & 7).astype(numpy.float32)
    size = numpy.where(exponent == 0, mantissa / 8 * 2.0**-6, (1 + mantissa / 8) * 2.0 ** (exponent - 7.0))
    return numpy.where(codes & 128, -size, size).astype(numpy.float32)


def e2m1(packed):
    """The values of 4-bit floats, two a byte, the lower half first."""
    codes = numpy.stack([packed & 15, packed >> 4], -1).reshape(packed.shape[0], -1)
    return numpy.where(codes & 8, -E2M1[codes & 7], E2M1[codes & 7])


def unpacked(words, bits, count):
    """The codes of each row of 32-bit words, lowest bits first, less half their range."""
    rows = numpy.ascontiguousarray(words).view(numpy.uint8).reshape(words.shape[0], -1)
    stream = numpy.unpackbits(rows, axis=1, bitorder="little")[:, : count * bits]
    places = 1 << numpy.arange(bits)
    return stream.reshape(words.shape[0], count, bits) @ places - (1 << bits - 1)


def spread(scales, shape):
    """A scale for each weight, from one for each rectangle of them."""
    rows, columns = (-(-size // parts) for size, parts in zip(shape, scales.shape))
    return scales.repeat(rows, 0).repeat(columns, 1)[: shape[0], : shape[1]]


class Directory:
    """An exported directory: its tensors, and what its config.json says of them."""

    def __init__(self, folder):
        self.tensors = {}
        for path in sorted(Path(folder).glob("*.safetensors")):
            data = numpy.memmap(path, numpy.uint8, "r")
            length = int(data[:8].view("<u8")[0])
            header = json.loads(data[8 : 8 + length].tobytes())
            header.pop("__metadata__", None)
            for name, entry in header.items():
                begin, end = entry["data_offsets"]
                self.tensors[name] = {**entry, "data": data[8 + length + begin : 8 + length + end]}
        config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        self.is_tied = config.get("tie_word_embeddings", False)
        self.quantization = config.get("quantization_config", {})
        self.groups = self.quantization.get("config_groups", {})
        self.schemes = {target: group for group in self.groups.values() for target in group["targets"]}

    def values(self, name):
        """A tensor's elements: floats as 32-bit ones, integers as they are."""
        entry = self.tensors[name]
        raw, kind = entry["data"].tobytes(), entry["dtype"]
        if kind == "BF16":
            values = (numpy.frombuffer(raw, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
        elif kind == "F8_E4M3":
            values = e4m3(numpy.frombuffer(raw, numpy.uint8))
        else:
            values = numpy.frombuffer(raw, PLAIN[kind])
        return (values.astype(numpy.float32) if kind == "F16" else values).reshape(entry["shape"])

    def layers(self, names):
        """The weights of these layers, decoded."""
        return {name: self.decoded(name) for name in names}

    def decoded(self, layer):
        scheme = self.schemes.get(layer)
        if scheme is None:
            return self.values(f"{layer}.weight")
        weights, kind = scheme["weights"], scheme["format"]
        scales = None if kind == "mxfp4-pack-quantized" else self.values(f"{layer}.weight_scale")
        if kind == "pack-quantized":
            shape = [int(size) for size in self.values(f"{layer}.weight_shape")]
            codes = unpacked(self.values(f"{layer}.weight_packed"), weights["num_bits"], shape[1])
            if not weights["symmetric"]:
                points = unpacked(self.values(f"{layer}.weight_zero_point").T, weights["num_bits"], shape[0]).T
                codes = codes - spread(points, shape)
            return codes.astype(numpy.float32) * spread(scales, shape)
        if kind in ("int-quantized", "float-quantized"):
            codes = self.values(f"{layer}.weight").astype(numpy.float32)
            if weights["strategy"] == "block":
                rows, columns = weights["block_structure"]
                scales = scales.repeat(rows, 0).repeat(columns, 1)[: codes.shape[0], : codes.shape[1]]
            return codes * scales
        codes = e2m1(self.values(f"{layer}.weight_packed"))
        if kind == "nvfp4-pack-quantized":
            scales = scales / self.values(f"{layer}.weight_global_scale")
        else:
            scales = numpy.exp2(self.values(f"{layer}.weight_scale").astype(numpy.float32) - 127)
        return codes * spread(scales, codes.shape)

    def expected(self, layer, shape):
        """The tensors that hold a layer, with element types and shapes; None stands for any float of 16 or 32 bits."""
        scheme = self.schemes.get(layer)
        if scheme is None:
            return {"weight": (None, shape)}
        (rows, columns), weights, kind = shape, scheme["weights"], scheme["format"]
        groups = columns // weights["group_size"] if weights.get("group_size") else 1
        if kind == "pack-quantized":
            bits = weights["num_bits"]
            held = {"weight_packed": ("I32", [rows, -(-columns * bits // 32)]),
                    "weight_scale": (None, [rows, groups]), "weight_shape": ("I64", [2])}
            if not weights["symmetric"]:
                held["weight_zero_point"] = ("I32", [-(-rows * bits // 32), groups])
            return held
        if kind == "int-quantized":
            return {"weight": ("I8", shape), "weight_scale": (None, [rows, 1])}
        if kind == "float-quantized":
            block = weights.get("block_structure")
            parts = [-(-rows // block[0]), -(-columns // block[1])] if block else [rows, 1]
            return {"weight": ("F8_E4M3", shape), "weight_scale": (None, parts)}
        held = {"weight_packed": ("U8", [rows, columns // 2])}
        if kind == "nvfp4-pack-quantized":
            return held | {"weight_scale": ("F8_E4M3", [rows, groups]), "weight_global_scale": ("F32", [1])}
        return held | {"weight_scale": ("U8", [rows, groups])}

    def config_errors(self, matrices):
        """What config.json and the tensors do not agree on; `matrices` are all layers, by name."""
        errors = []
        targets = [target for group in self.groups.values() for target in group["targets"]]
        ignored = self.quantization.get("ignore", [])
        if len(set(targets)) != len(targets) or set(targets) & set(ignored):
            errors.append("a module is in two groups, or in one and ignored")
        if list(self.groups) != sorted(self.groups):
            errors.append("groups change their order when their names are sorted")
        linear = {name for name in matrices if not name.endswith("embed_tokens")}
        linear |= {"lm_head"} if self.is_tied else set()
        named = (set(targets) | set(ignored)) - {"model.embed_tokens"}
        if self.groups and named != linear:
            errors.append(f"config.json does not name {sorted(linear ^ named)[:3]} once")
        formats = {group["format"] for group in self.groups.values()}
        if self.groups and self.quantization["format"] != (formats.pop() if len(formats) == 1 else "mixed-precision"):
            errors.append(f"the format is {self.quantization['format']}")
        wanted = {}
        for layer, weights in matrices.items():
            for part, held in self.expected(layer, list(weights.shape)).items():
                wanted[f"{layer}.{part}"] = held
        for name, (kind, shape) in wanted.items():
            entry = self.tensors.get(name)
            if entry is None or entry["shape"] != shape or entry["dtype"] not in ([kind] if kind else ["BF16", "F16", "F32"]):
                errors.append(f"{name} is {entry and [entry['dtype'], entry['shape']]}, not {[kind, shape]}")
        strangers = [name for name in self.tensors if name not in wanted and not name.endswith("norm.weight")]
        return errors + [f"nobody asked for {name}" for name in strangers]
