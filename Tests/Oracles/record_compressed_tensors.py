#!/usr/bin/env python3
"""Makes CheckpointsTests/Fixtures/compressed: tiny Llama models quantized and saved by llm-compressor.

  integers/   pack-quantized, 2 to 8 bits: symmetric and not, groups and channels
  floats/     mixed-precision: FP8 (channel, tensor, block), NVFP4, MXFP4, MXFP8, int8 with and without
              quantized activations
  embedding/  a quantized embedding that is also the head; single precision
  padded/     the layers of integers/ repacked as compressed-tensors up to 0.17 did: whole codes only in a word
  digests.json  SHA-256 of each layer's weights as compressed-tensors decompresses them, in the type that
                they then have, by model and name

Needs llmcompressor==0.14.0.1 (which brings compressed-tensors 0.19.0).
"""

import hashlib
import json
import math
import shutil
import tempfile
from pathlib import Path

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.compressors.pack_quantized import unpack_from_int32
from compressed_tensors.quantization import QuantizationConfig
from compressed_tensors.quantization.lifecycle import apply_quantization_config
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import QuantizationModifier
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

FIXTURES = Path(__file__).parent.parent / "CheckpointsTests" / "Fixtures" / "compressed"
TOKEN = {"num_bits": 8, "strategy": "token", "dynamic": True}


def model(dtype, **changes):
    torch.manual_seed(7)
    settings = dict(
        hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=48, max_position_embeddings=128, tie_word_embeddings=True)
    made = LlamaForCausalLM(LlamaConfig(**(settings | changes)))
    for name, parameter in made.named_parameters():
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=0.05)
    return made.to(dtype)


def group(targets, kind="int", bits=8, size=None, symmetric=True, strategy=None, activations=None,
          format=None, **more):
    strategy = strategy or ("group" if size else "channel")
    weights = {"num_bits": bits, "type": kind, "symmetric": symmetric, "strategy": strategy}
    weights |= {"group_size": size} if size else {}
    scheme = {"targets": targets, "weights": weights | more}
    scheme |= {"input_activations": activations} if activations else {}
    return scheme | ({"format": format} if format else {})


def layers(block, *parts):
    return [f"model.layers.{block}.{part}_proj" for part in parts]


INTEGERS = {
    "group_0": group(layers(0, "self_attn.q"), bits=2, size=32),
    "group_1": group(layers(0, "self_attn.k"), bits=3, size=32, symmetric=False),
    "group_2": group(layers(0, "self_attn.v"), bits=4),
    "group_3": group(layers(0, "self_attn.o"), bits=5, size=16, symmetric=False),
    "group_4": group(layers(0, "mlp.gate"), bits=6, symmetric=False),
    "group_5": group(layers(0, "mlp.up"), bits=7, size=64),
    "group_6": group(layers(0, "mlp.down"), bits=8, size=32, symmetric=False),
    "group_7": group([r"re:model\.layers\.1\.self_attn\.[qk]_proj$"], bits=3, size=64),
    "group_8": group([r"re:.*1\.self_attn\.[vo]_proj$"], bits=4, size=16, symmetric=False),
    "group_9": group(["Linear"], bits=5, size=32),
}
FLOATS = {
    "group_0": group(layers(0, "self_attn.q"), "float", format="float-quantized"),
    "group_1": group(layers(0, "self_attn.k"), "float", strategy="tensor"),
    "group_2": group(layers(0, "mlp.gate"), "float", strategy="block", block_structure=[40, 48]),
    "group_3": group(layers(0, "self_attn.o"), "float", 4, 16, strategy="tensor_group"),
    "group_4": group(layers(0, "mlp.up"), "float", 4, 32, scale_dtype="torch.uint8"),
    "group_5": group(layers(0, "mlp.down"), "float", 8, 32, scale_dtype="torch.uint8",
                     format="mxfp8-quantized"),
    "group_6": group(layers(1, "self_attn.q", "self_attn.k", "self_attn.v"), activations=TOKEN),
    "group_7": group(layers(1, "mlp.gate", "mlp.up"), bits=8, size=32, symmetric=False,
                     format="naive-quantized"),
    "group_8": group(layers(1, "mlp.down"), bits=4, size=32),
}
EMBEDDING = {
    "group_0": group(["Embedding", "Linear"], bits=8),
    "group_1": group([r"re:.*mlp\.(gate|up)_proj$"], bits=4, size=32),
}


def make(name, groups, dtype, ignore=(), **changes):
    """Quantizes a model, keeps its configuration and weights, and returns their folder."""
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as dense, tempfile.TemporaryDirectory() as saved:
        model(dtype, **changes).save_pretrained(dense)
        made = LlamaForCausalLM.from_pretrained(dense, dtype=dtype)
        oneshot(model=made, recipe=QuantizationModifier(config_groups=groups, ignore=list(ignore)))
        made.save_pretrained(saved)
        for file in ("config.json", "model.safetensors"):
            shutil.copy(Path(saved) / file, folder / file)
    return folder


def schemes(folder):
    """The scheme that compressed-tensors gives each layer of a saved model."""
    config = json.loads((folder / "config.json").read_text())
    quantization = QuantizationConfig.model_validate(config.pop("quantization_config"))
    with torch.device("meta"):
        made = LlamaForCausalLM(LlamaConfig(**config))
    apply_quantization_config(made, quantization)
    return {
        name: (module.quantization_scheme, module.quantization_scheme.format or quantization.format)
        for name, module in made.named_modules() if hasattr(module, "quantization_scheme")
    }


def digests(folder):
    tensors = load_file(folder / "model.safetensors")
    result = {}
    for name, (scheme, format) in schemes(folder).items():
        parts = {
            key.removeprefix(name + "."): value
            for key, value in tensors.items() if key.startswith(name + ".")
        }
        if not parts:  # the tied head
            continue
        compressor = BaseCompressor.get_value_from_registry(format)
        weight = compressor.decompress(parts, scheme)["weight"].contiguous()
        stored = weight.view(torch.uint8).numpy().tobytes()
        result[name] = {
            "type": str(weight.dtype).removeprefix("torch."),
            "sha256": hashlib.sha256(stored).hexdigest(),
        }
    return result


def pad(codes, bits):
    """Codes of each row, 32 // bits of them a word, as compressed-tensors 0.17 packs them."""
    count = 32 // bits
    words = math.ceil(codes.shape[1] / count)
    padded = torch.zeros(codes.shape[0], words * count, dtype=torch.int64)
    padded[:, :codes.shape[1]] = codes
    shifts = torch.arange(count) * bits
    packed = (padded.view(-1, words, count) << shifts).sum(-1)
    return torch.where(packed >= 2**31, packed - 2**32, packed).to(torch.int32)


def make_padded(source):
    folder = FIXTURES / "padded"
    folder.mkdir(exist_ok=True)
    config = json.loads((source / "config.json").read_text())
    config["quantization_config"]["version"] = "0.14.0"
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True))
    tensors = load_file(source / "model.safetensors")
    for name, (scheme, _) in schemes(source).items():
        if f"{name}.weight_packed" not in tensors:
            continue
        bits = scheme.weights.num_bits
        shape = tensors[f"{name}.weight_shape"].tolist()
        codes = unpack_from_int32(tensors[f"{name}.weight_packed"], bits, shape)
        tensors[f"{name}.weight_packed"] = pad(codes.long() + 2 ** (bits - 1), bits)
        points = tensors.get(f"{name}.weight_zero_point")
        if points is not None:
            shape = (shape[0], points.shape[1])
            points = unpack_from_int32(points, bits, shape, packed_dim=0).long() + 2 ** (bits - 1)
            tensors[f"{name}.weight_zero_point"] = pad(points.T, bits).T.contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def main():
    integers = make("integers", INTEGERS, torch.bfloat16, ignore=["lm_head"])
    floats = make("floats", FLOATS, torch.float16)
    embedding = make(
        "embedding", EMBEDDING, torch.float32, num_hidden_layers=1, intermediate_size=32)
    padded = make_padded(integers)
    recorded = {folder.name: digests(folder) for folder in (integers, floats, embedding)}
    recorded[padded.name] = recorded[integers.name]
    text = json.dumps(recorded, indent=1, sort_keys=True)
    (FIXTURES / "digests.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
