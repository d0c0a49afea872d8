#!/usr/bin/env python3
"""Reads Vise's exports with the packages gguf and safetensors alone, down to every offset and every weight.

usage: packages.py --binary VISE --model DIRECTORY [--halves DIRECTORY]

Every kind of GGUF and compressed-tensors export is looked at: alignment, offsets, sizes, metadata, shapes and element
types; that config.json names each linear module once and says how it is stored; and that the weights, decoded by gguf or by
the numpy of compressed_layers.py, miss the original's by exactly the error that `vise preview` tells, layer by layer.
DIRECTORY is a Llama in BF16 whose rows are multiples of 256, such as Samples/scripture; --halves is one in F16.
Needs numpy, gguf and safetensors.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors import safe_open

import compressed_layers
from interop import Checks, Vise, block_plans, layer_plans, uniform

sys.path.append(str(Path(__file__).parents[2] / "Benchmarks"))
from hf_to_gguf import gguf_name, tensors  # noqa: E402

# Beside what transformers loads: what only vLLM takes.
SERVER_PLANS = {
    "vllm-cpu": """vise: 1
rules:
  - { layers: "re:.*(q|k|v)_proj", bits: 8, group: channel }
  - { layers: "re:.*o_proj", bits: 4, group: 64 }
  - { layers: "re:.*mlp.*", bits: 4, group: 32, symmetric: false }
""",
    "vllm": """vise: 1
rules:
  - { layers: "re:.*proj", bits: 5, group: 128 }
  - { layers: "*embed_tokens", bits: 4, group: 64 }
""",
}


def rests(errors):
    """What keeps a check from holding, for its line."""
    return "; ".join(errors[:3]) + (f" and {len(errors) - 3} more" if len(errors) > 3 else "")


def damage(path):
    """Turns over the bits of the byte in the middle of a file."""
    with path.open("r+b") as file:
        middle = path.stat().st_size // 2
        file.seek(middle)
        byte = file.read(1)[0]
        file.seek(middle)
        file.write(bytes([byte ^ 255]))


def weight_errors(vise, model, plan, decoded, originals):
    """Layers whose weights are not as far from the original as Vise says; those that the plan keeps are the original's."""
    errors = []
    told = {layer["name"]: layer for layer in vise.json("preview", model, "--plan", plan)["layers"]}
    for name, weights in decoded.items():
        mse = float(numpy.mean((weights.astype(numpy.float64) - originals[name]) ** 2))
        expected = told[name]["mse"] if name in told else 0
        if weights.shape != originals[name].shape or abs(mse - expected) > 1e-4 * expected:
            errors.append(f"{name} misses by {mse:.6e}, told {expected:.6e}")
    return errors + [f"{name} is missing" for name in originals.keys() - decoded.keys()]


def gguf_structure_errors(path, reader):
    """What gguf_dump would show to be odd: alignment, offsets, holes, sizes, names."""
    errors, end = [], reader.data_offset
    names = [tensor.name for tensor in reader.tensors]
    if len(set(names)) != len(names):
        errors.append("tensors have the same name")
    if reader.data_offset % reader.alignment:
        errors.append(f"data begins at {reader.data_offset}")
    for tensor in reader.tensors:
        if tensor.data_offset != end:
            errors.append(f"{tensor.name} lies at {tensor.data_offset}, not at {end}")
        end = tensor.data_offset + -(-int(tensor.n_bytes) // reader.alignment) * reader.alignment
    if path.stat().st_size != end:
        errors.append(f"the file has {path.stat().st_size} bytes, not {end}")
    fields = [name for name in reader.fields if not name.startswith("GGUF.")]
    if fields[0] != "general.architecture" or len(fields) != int(reader.fields["GGUF.kv_count"].contents()):
        errors.append("metadata does not begin with the architecture, or repeats a key")
    rows = {tensor.name: tensor for tensor in reader.tensors}["token_embd.weight"].shape[1]
    for field in ("tokens", "token_type"):
        count = len(reader.fields[f"tokenizer.ggml.{field}"].data)
        if count != rows:
            errors.append(f"{count} {field} for {rows} rows of the embedding")
    return errors


def gguf_layers(reader, names, heads, kv_heads):
    """The weights of all layers under their names in Hugging Face's checkpoint, rows of q and k in its order."""
    found = {tensor.name: tensor for tensor in reader.tensors}
    layers = {}
    for name in names:
        tensor = found.get(gguf_name(name + ".weight"))
        if tensor is None:
            continue
        weights = dequantize(tensor.data, tensor.tensor_type)
        for part, count in (("q_proj", heads), ("k_proj", kv_heads)):
            if name.endswith(part):
                # The way back from hf_to_gguf's interleaved halves of a head.
                pairs = weights.reshape(count, -1, 2, weights.shape[1])
                weights = pairs.swapaxes(1, 2).reshape(weights.shape)
        layers[name] = weights
    return layers


def gguf_errors(vise, options, file, plan, kind, originals):
    """All that is wrong with a GGUF file; `kind` is the type of all its matrices, None for one by layer."""
    config = json.loads((Path(options.model) / "config.json").read_text(encoding="utf-8"))
    heads = config["num_attention_heads"], config["num_key_value_heads"]
    matrices = {name: weights for name, weights in originals.items() if weights.ndim == 2}
    reader = GGUFReader(file)
    errors = gguf_structure_errors(file, reader)
    types = {layer["name"]: kind or layer["dtype"] for layer in vise.json("inspect", file)["layers"]}
    found = {tensor.name: tensor for tensor in reader.tensors}
    for layer in matrices:
        stored = found[gguf_name(layer + ".weight")].tensor_type.name
        if stored != types[layer]:
            errors.append(f"{layer} is {stored}, not {types[layer]}")
    for vector, values in originals.items():
        if values.ndim == 1 and not numpy.array_equal(found[gguf_name(vector + ".weight")].data, values):
            errors.append(f"{vector} is not the original's")
    return errors + weight_errors(vise, options.model, plan, gguf_layers(reader, matrices, *heads), matrices)


def check_gguf(checks, vise, options, root, originals):
    for name, text in block_plans().items():
        plan = root / "plan.yaml"
        plan.write_text(text, encoding="utf-8")
        file = vise.export(options.model, plan, "llama.cpp", root / f"{name}.gguf")
        case = (vise, options, file, plan, {"mixed": None, "kept": "BF16"}.get(name, name), originals)
        errors = gguf_errors(*case)
        checks(f"gguf, {name}", not errors, rests(errors))
        if name == "Q4_0":
            damage(file)
            checks(f"gguf, {name} with a wrong byte, is noticed", gguf_errors(*case))


def safetensors_errors(folder):
    """Offsets, sizes and alignment of a directory's safetensors files, and its index."""
    errors, places = [], {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        end = 0
        header.pop("__metadata__", None)
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            begin, stop = entry["data_offsets"]
            size = compressed_layers.SIZES[entry["dtype"]]
            if begin != end or stop - begin != size * int(numpy.prod(entry["shape"])):
                errors.append(f"{name} lies at {begin} to {stop}, after {end}")
            if (8 + length + begin) % size:
                errors.append(f"{name} is not aligned")
            end, places[name] = stop, path.name
        if path.stat().st_size != 8 + length + end:
            errors.append(f"{path.name} has other bytes than its tensors")
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():
                part = file.get_slice(name)
                if [part.get_dtype(), part.get_shape()] != [header[name]["dtype"], header[name]["shape"]]:
                    errors.append(f"{name} is another to safetensors")
    index = folder / "model.safetensors.index.json"
    if (len(set(places.values())) > 1) != index.exists():
        errors.append("an index goes with several files, and only with them")
    if index.exists() and json.loads(index.read_text(encoding="utf-8"))["weight_map"] != places:
        errors.append("the index names other places")
    return errors


def compressed_errors(vise, options, folder, plan, originals):
    """All that is wrong with a compressed-tensors directory."""
    matrices = {name: weights for name, weights in originals.items() if weights.ndim == 2}
    stored = compressed_layers.Directory(folder)
    errors = safetensors_errors(folder) + stored.config_errors(matrices)
    for vector, values in originals.items():
        if values.ndim == 1 and not numpy.array_equal(stored.values(vector + ".weight"), values):
            errors.append(f"{vector} is not the original's")
    return errors + weight_errors(vise, options.model, plan, stored.layers(matrices), matrices)


def check_compressed(checks, vise, options, root, originals):
    cases = [(name, text, "transformers") for name, text in layer_plans().items()]
    cases += [(name, text, name) for name, text in SERVER_PLANS.items()]
    for number, (name, text, target) in enumerate(cases):
        plan = root / "plan.yaml"
        plan.write_text(text, encoding="utf-8")
        folder = vise.export(options.model, plan, target, root / str(number))
        errors = compressed_errors(vise, options, folder, plan, originals)
        checks(f"compressed-tensors, {name}", not errors, rests(errors))
        if name == "4 bit":
            damage(folder / "model.safetensors")
            checks(f"compressed-tensors, {name} with a wrong byte, is noticed",
                   compressed_errors(vise, options, folder, plan, originals))


def check_halves(checks, vise, folder, root):
    """A checkpoint in F16 stays that in both formats, and what is quantized of it has F16 scales."""
    plan = root / "halves.yaml"
    plan.write_text(uniform("bits: 4, group: 64", "*.down_proj"), encoding="utf-8")
    file = root / "halves.gguf"
    vise("export", folder, "--format", "gguf", "--output", file)
    reader = GGUFReader(file)
    kinds = {tensor.tensor_type.name for tensor in reader.tensors if len(tensor.shape) == 2}
    errors = gguf_structure_errors(file, reader) + [f"matrices are {kinds}"] * (kinds != {"F16"})
    checks("gguf, kept F16", not errors, rests(errors))
    stored = compressed_layers.Directory(vise.export(folder, plan, "transformers", root / "halves"))
    errors = safetensors_errors(root / "halves")
    errors += [f"{name} is {entry['dtype']}" for name, entry in stored.tensors.items()
               if name.endswith(("weight_scale", "q_proj.weight")) and entry["dtype"] != "F16"]
    checks("compressed-tensors of F16", not errors, rests(errors))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model"):
        parser.add_argument(name, required=True)
    parser.add_argument("--halves")
    options = parser.parse_args()
    vise, checks = Vise(options.binary), Checks()
    originals = {name.removesuffix(".weight"): weights
                 for name, weights in tensors(str(Path(options.model) / "model.safetensors"))}
    with tempfile.TemporaryDirectory() as name:
        check_gguf(checks, vise, options, Path(name), originals)
        check_compressed(checks, vise, options, Path(name), originals)
        if options.halves:
            check_halves(checks, vise, options.halves, Path(name))
    checks.end()


if __name__ == "__main__":
    main()
