#!/usr/bin/env python3
"""offgrid.py MODEL OUT: the same function as a checkpoint, its weights on no grid, in F16.

MODEL is a folder of Hugging Face (Llama) or a GGUF file (Llama and Qwen2), and OUT the same. SmolLM2 comes quantized in
groups of 32 at 4 bits, so rounding to that very grid would look free. Here every input channel is divided by a random
factor from exp(-0.35) to exp(0.35), which the norm, up_proj or v_proj before it takes back.

No norm stands between the embedding and the sum that blocks add to, so that its channels cannot be scaled. The
embedding of a GGUF file may be on a grid as well: there the channels of that sum are shuffled, in everything that writes
or reads them, so that those of a group of the old grid are in different ones.
"""
import json
import os
import shutil
import sys

import gguf
import numpy
from safetensors.numpy import load_file, save_file

SEED, SPREAD = 2026, 0.35
# By the part before: the parts that read it.
READERS = {
    "input_layernorm": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "post_attention_layernorm": ["mlp.gate_proj", "mlp.up_proj"],
    "mlp.up_proj": ["mlp.down_proj"], "self_attn.v_proj": ["self_attn.o_proj"],
}
GGUF_READERS = {
    "attn_norm": ["attn_q", "attn_k", "attn_v"], "ffn_norm": ["ffn_gate", "ffn_up"],
    "ffn_up": ["ffn_down"], "attn_v": ["attn_output"],
}
# In GGUF, what a block adds to the sum.
WRITERS = ["attn_output", "ffn_down"]


def rescale(block, readers, heads, kv_heads, random):
    """Changes the weights of one block, which are named as `readers` names them with `.weight` or `.bias` after."""
    for before, after in readers.items():
        rows = block[f"{before}.weight"].shape[0]
        factors = numpy.exp(random.uniform(-SPREAD, SPREAD, rows)).astype(numpy.float32)
        for name in (f"{before}.weight", f"{before}.bias"):
            if name in block:
                block[name] = block[name] * factors.reshape(-1, *[1] * (block[name].ndim - 1))
        if len(block[f"{after[0]}.weight"].T) != rows:  # several heads read each of v's
            factors = factors.reshape(kv_heads, -1).repeat(heads // kv_heads, axis=0).ravel()
        for name in after:
            block[f"{name}.weight"] = block[f"{name}.weight"] * (1 / factors)[None, :]


def folder(source, out):
    with open(os.path.join(source, "config.json")) as file:
        config = json.load(file)
    weights = {name: values.astype(numpy.float32)
               for name, values in load_file(os.path.join(source, "model.safetensors")).items()}
    random = numpy.random.default_rng(SEED)
    for index in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{index}."
        block = {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}
        rescale(block, READERS, config["num_attention_heads"], config["num_key_value_heads"], random)
        weights.update({prefix + name: values for name, values in block.items()})
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(source):
        if name != "model.safetensors":
            shutil.copy(os.path.join(source, name), out)
    halves = {name: values.astype(numpy.float16) for name, values in weights.items()}
    save_file(halves, os.path.join(out, "model.safetensors"), metadata={"format": "pt"})


def gguf_file(source, out):
    """One block at a time, since all weights in 32 bits may not fit in memory."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    heads, kv_heads = (reader.fields[f"{architecture}.attention.{key}"].contents() for key in ("head_count", "head_count_kv"))
    writer = gguf.GGUFWriter(out, architecture)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        writer.add_key_value(field.name, field.contents(), field.types[0],
                             field.types[-1] if len(field.types) > 1 else None)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)

    parts = {}  # tensors by the prefix of their block; those outside blocks one by one
    for tensor in reader.tensors:
        pieces = tensor.name.split(".")
        prefix = ".".join(pieces[:2]) + "." if pieces[0] == "blk" else ""
        key = prefix or tensor.name
        parts.setdefault(key, (prefix, []))[1].append(tensor)
    for _, tensors in parts.values():
        for tensor in tensors:
            shape = [int(size) for size in reversed(tensor.shape)]
            kind = numpy.dtype(numpy.float32 if len(shape) == 1 else numpy.float16)
            writer.add_tensor_info(tensor.name, shape, kind, int(numpy.prod(shape)) * kind.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()

    random = numpy.random.default_rng(SEED)
    order = random.permutation(reader.fields[f"{architecture}.embedding_length"].contents())
    for prefix, tensors in parts.values():
        part = {tensor.name.removeprefix(prefix): gguf.quants.dequantize(tensor.data, tensor.tensor_type)
                for tensor in tensors}
        if prefix:
            rescale(part, GGUF_READERS, heads, kv_heads, random)
        for name, values in part.items():
            stem = name.split(".")[0]
            if stem in WRITERS or stem.endswith("_norm"):
                values = values[order]
            elif name.endswith(".weight") and values.ndim == 2:  # the embedding too: a token's row is what it writes
                values = values[:, order]
            writer.write_tensor_data(values.astype(numpy.float32 if values.ndim == 1 else numpy.float16))
    writer.close()


def main(source, out):
    (gguf_file if source.endswith(".gguf") else folder)(source, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
