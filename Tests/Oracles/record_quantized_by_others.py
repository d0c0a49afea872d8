#!/usr/bin/env python3
"""Makes CheckpointsTests/Fixtures/others: layers that other programs quantized, in the files that they write.

  gptq/, gptq-v2/           packed and decoded by GPTQModel's own module, zero points less one and as they are
  awq-3bit/, awq-8bit/      packed and decoded by GPTQModel's functions
  awq/, awq-gemv/           packed and decoded by AutoAWQ's own modules and functions
  fp8-blocks/, fp8-rows/    decoded by transformers' Fp8Dequantize; blocks that do not fill the matrix, which it refuses,
                            by DeepSeek's rule (a block is 128 x 128 wherever it ends) in numpy
  mxfp4/                    decoded by transformers' convert_moe_packed_tensors
  bitsandbytes-int8/, bitsandbytes-4bit/   saved and decoded by bitsandbytes
  mlx/, mlx-half/, mlx-modes/   saved and decoded by MLX
  gptq-llama/, mlx-llama/   whole models of one block
  digests.json              of each layer by model and name: type, rows, columns, SHA-256 of the decoded weights

Needs gptqmodel==7.7.0 (its imports reach Pillow and torchvision), the sources of autoawq==0.2.9, bitsandbytes==0.50.2,
mlx==0.32.4 with mlx-cpu, and requirements-record.txt; a CPU is enough.
"""

import hashlib
import importlib.util
import json
import sys
import types
from pathlib import Path

import bitsandbytes
import mlx.core as mx
import numpy as np
import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from gptqmodel.nn_modules.qlinear.torch import TorchLinear
from gptqmodel.quantization.awq.utils import packing_utils as packing
from gptqmodel.utils.model import convert_gptq_v2_to_v1_format_module
from safetensors.torch import save_file
from transformers.integrations.finegrained_fp8 import Fp8Dequantize
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

FIXTURES = Path(__file__).parent.parent / "CheckpointsTests" / "Fixtures" / "others"
MLP = "model.layers.0.mlp."
ATTENTION = "model.layers.0.self_attn."
recorded = {}


def awq_module(name):
    """A module of AutoAWQ without its package's own imports, which want models and CUDA."""
    if "awq" not in sys.modules:
        root = Path(importlib.util.find_spec("awq").submodule_search_locations[0])
    else:
        root = Path(sys.modules["awq"].__path__[0])
    for package in ("awq", "awq.utils", "awq.modules", "awq.modules.linear"):
        if package not in sys.modules:
            stub = types.ModuleType(package)
            stub.__path__ = [str(root.joinpath(*package.split(".")[1:]))]
            sys.modules[package] = stub
    return importlib.import_module(name)


def matrix(rows, columns, dtype=torch.float32):
    return (torch.randn(rows, columns) * 0.05).to(dtype)


def digest(weight):
    """What a layer decodes to: a torch tensor of rows x columns."""
    weight = weight.contiguous()
    stored = weight.reshape(-1).view(torch.uint8).numpy().tobytes()
    return {
        "type": str(weight.dtype).removeprefix("torch."),
        "rows": weight.numel() // weight.shape[-1],
        "columns": weight.shape[-1],
        "sha256": hashlib.sha256(stored).hexdigest(),
    }


def save(name, config, tensors, decoded):
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    if callable(tensors):
        tensors(str(folder / "model.safetensors"))
    else:
        tensors = {key: value.contiguous() for key, value in tensors.items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    recorded[name] = {layer: digest(weight) for layer, weight in decoded.items()}


def grid(weight, bits, size, symmetric):
    """Scales and zero points of each group, rows x groups."""
    groups = weight.reshape(weight.shape[0], -1, size)
    low, high = groups.amin(-1).clamp(max=0), groups.amax(-1).clamp(min=0)
    if symmetric:
        high = torch.maximum(-low, high)
        low = -high
    scales = ((high - low) / (2**bits - 1)).half().float()
    zeros = torch.full_like(scales, 2 ** (bits - 1)) if symmetric else torch.round(-low / scales)
    return scales, zeros.clamp(0, 2**bits - 1)


def gptq_layer(rows, columns, bits, size, symmetric, version, shuffled=False):
    """A layer's tensors as GPTQModel packs them, and the weights that it decodes."""
    linear = torch.nn.Linear(columns, rows, bias=False)
    linear.weight.data = matrix(rows, columns)
    scales, zeros = grid(linear.weight.data, bits, size, symmetric)
    order = torch.arange(columns, dtype=torch.int32) // size
    if shuffled:
        order = order[torch.randperm(columns)].contiguous()
    module = TorchLinear(
        bits=bits, group_size=size, sym=symmetric, desc_act=shuffled, in_features=columns, out_features=rows,
        bias=False, pack_dtype=torch.int32, register_buffers=True)
    module.pack_original(linear, scales, zeros, order)
    module.optimize = lambda *arguments, **named: None
    weight = module.dequantize_weight().T.to(torch.float16)
    if version == 1:
        convert_gptq_v2_to_v1_format_module(module, types.SimpleNamespace(bits=bits, pack_dtype=torch.int32))
    return {part: getattr(module, part).clone() for part in ("qweight", "qzeros", "scales", "g_idx")}, weight


def make_gptq(name, version):
    layers = {
        ATTENTION + "q_proj": (64, 128, 4, 32, True),
        ATTENTION + "k_proj": (32, 128, 4, 32, False),
        ATTENTION + "v_proj": (32, 128, 8, 64, False),
        ATTENTION + "o_proj": (64, 64, 2, 32, False),
        MLP + "gate_proj": (64, 128, 3, 32, False),
        MLP + "up_proj": (64, 128, 4, 128, True),
    }
    if version == 2:
        layers = {key: layers[key] for key in (ATTENTION + "k_proj", MLP + "gate_proj")}
    tensors, decoded = {}, {}
    for layer, arguments in layers.items():
        parts, decoded[layer] = gptq_layer(*arguments, version)
        tensors |= {f"{layer}.{part}": value for part, value in parts.items()}
    layer = MLP + "down_proj"
    parts, decoded[layer] = gptq_layer(64, 128, 4, 32, False, version, shuffled=True)
    tensors |= {f"{layer}.{part}": value for part, value in parts.items()}
    tensors["model.norm.weight"] = torch.ones(64, dtype=torch.float16)
    quantization = {
        "quant_method": "gptq", "bits": 4, "group_size": 32, "sym": version == 1, "desc_act": False,
        "checkpoint_format": "gptq" if version == 1 else "gptq_v2", "meta": {"quantizer": ["gptqmodel:7.7.0"]},
    }
    save(name, {"quantization_config": quantization}, tensors, decoded)


def make_awq():
    gemm = awq_module("awq.modules.linear.gemm").WQLinear_GEMM
    dequantize = awq_module("awq.utils.packing_utils").dequantize_gemm
    tensors, decoded = {}, {}
    for layer, rows, columns in ((ATTENTION + "q_proj", 64, 128), (MLP + "up_proj", 96, 64)):
        linear = torch.nn.Linear(columns, rows, bias=False)
        linear.weight.data = matrix(rows, columns)
        scales, zeros = grid(linear.weight.data, 4, 32, False)
        module = gemm.from_linear(linear, 4, 32, scales=scales.T.contiguous(), zeros=zeros.T.contiguous())
        decoded[layer] = dequantize(module.qweight, module.qzeros, module.scales, 4, 32).T
        tensors |= {f"{layer}.{part}": getattr(module, part) for part in ("qweight", "qzeros", "scales")}
    quantization = {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"}
    save("awq", {"quantization_config": quantization}, tensors, decoded)


def make_awq_bits(bits):
    """Other bits than AutoAWQ has, in GPTQModel's order."""
    rows, columns, size, layer = 40, 96, 32, MLP + "up_proj"
    weight = matrix(rows, columns)
    scales, zeros = grid(weight, bits, size, False)
    spread = [value.repeat_interleave(size, 1) for value in (scales, zeros)]
    codes = torch.round(weight / spread[0] + spread[1]).clamp(0, 2**bits - 1)
    qweight, qzeros = packing.pack_awq(codes.T.int().contiguous(), zeros.T.int().contiguous(), bits)
    scales = scales.T.half().contiguous()
    decoded = packing.dequantize_gemm(qweight, qzeros, scales, bits, size).T
    tensors = {f"{layer}.qweight": qweight, f"{layer}.qzeros": qzeros, f"{layer}.scales": scales}
    quantization = {"quant_method": "awq", "bits": bits, "group_size": size, "version": "gemm"}
    save(f"awq-{bits}bit", {"quantization_config": quantization}, tensors, {layer: decoded})


def make_awq_gemv():
    gemv = awq_module("awq.modules.linear.gemv").WQLinear_GEMV
    linear = torch.nn.Linear(192, 32, bias=False)
    linear.weight.data = matrix(32, 192)
    scales, zeros = grid(linear.weight.data, 4, 64, False)
    module = gemv.from_linear(linear, 4, 64, scales=scales, zeros=zeros)
    shifts = torch.arange(0, 32, 4)
    codes = (module.qweight[..., None] >> shifts & 15).reshape(32, 192).reshape(32, 3, 64)
    points = (module.qzeros[..., None] >> shifts & 15).reshape(32, -1)[:, :3]
    weight = (codes - points[..., None]).half() * module.scales[:, :3, None]
    tensors = {f"{MLP}up_proj.{part}": getattr(module, part) for part in ("qweight", "qzeros", "scales")}
    quantization = {"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True, "version": "gemv"}
    save("awq-gemv", {"quantization_config": quantization}, tensors, {MLP + "up_proj": weight.reshape(32, 192)})


def fp8(weight, scales, block):
    """Codes for weights and the scales of their blocks."""
    spread = scales.float().repeat_interleave(block[0], -2).repeat_interleave(block[1], -1)
    return (weight / spread[..., :weight.shape[-2], :weight.shape[-1]]).to(torch.float8_e4m3fn)


def dequantize_fp8(codes, scales):
    return Fp8Dequantize(None)._dequantize_one(codes, scales, torch.bfloat16)


def block_scales(weight, block):
    rows, columns = weight.shape[-2:]
    padded = torch.nn.functional.pad(weight, (0, -columns % block[1], 0, -rows % block[0]))
    down, across = padded.shape[-2] // block[0], padded.shape[-1] // block[1]
    blocks = padded.reshape(*weight.shape[:-2], down, block[0], across, block[1])
    return blocks.abs().amax((-3, -1)) / 448


def make_fp8_blocks():
    block, tensors, decoded = (128, 128), {}, {}
    rounded = {
        "q_proj": lambda scales: scales.to(torch.bfloat16),
        "k_proj": lambda scales: scales,
        "o_proj": lambda scales: scales.to(torch.float8_e8m0fnu),
    }
    for part, rounding in rounded.items():
        weight = matrix(128, 256)
        scales = rounding(block_scales(weight, block))
        codes = fp8(weight, scales, block)
        tensors[f"{ATTENTION}{part}.weight"] = codes
        tensors[f"{ATTENTION}{part}.weight_scale_inv"] = scales
        decoded[ATTENTION + part] = dequantize_fp8(codes, scales)
    weight = matrix(130, 72)
    scales = block_scales(weight, block)
    codes = fp8(weight, scales, block)
    tensors[ATTENTION + "v_proj.weight"] = codes
    tensors[ATTENTION + "v_proj.weight_scale_inv"] = scales
    spread = np.repeat(np.repeat(scales.numpy(), 128, 0), 128, 1)[:130, :72]
    decoded[ATTENTION + "v_proj"] = torch.from_numpy(codes.float().numpy() * spread).to(torch.bfloat16)
    experts = torch.randn(2, 128, 128) * torch.tensor([0.05, 0.2]).reshape(2, 1, 1)
    scales = block_scales(experts, block).to(torch.bfloat16)
    codes = fp8(experts, scales, block)
    tensors[MLP + "experts.gate_up_proj"] = codes
    tensors[MLP + "experts.gate_up_proj_scale_inv"] = scales
    decoded[MLP + "experts.gate_up_proj"] = dequantize_fp8(codes, scales)
    tensors["model.embed_tokens.weight"] = matrix(16, 32, torch.bfloat16)
    quantization = {
        "quant_method": "fp8", "weight_block_size": [128, 128], "activation_scheme": "dynamic", "fmt": "e4m3",
        "modules_to_not_convert": ["lm_head"],
    }
    save("fp8-blocks", {"torch_dtype": "bfloat16", "quantization_config": quantization}, tensors, decoded)


def make_fp8_rows():
    tensors, decoded = {}, {}
    cases = {
        "q_proj": ((1, 48), torch.bfloat16, "weight_scale"),
        "k_proj": ((1, 48), torch.float32, "weight_scale"),
        "v_proj": ((32, 48), torch.float32, "weight_scale_inv"),
    }
    for part, (block, kind, name) in cases.items():
        weight = matrix(32, 48)
        scales = block_scales(weight, block).to(kind)
        codes = fp8(weight, scales, block)
        decoded[ATTENTION + part] = dequantize_fp8(codes, scales)
        layer = ATTENTION + part
        tensors |= {f"{layer}.weight": codes, f"{layer}.{name}": scales if block[0] == 1 else scales.reshape(())}
        tensors[f"{layer}.input_scale"] = torch.ones(())
    quantization = {"quant_method": "fp8", "activation_scheme": "static", "weight_block_size": None}
    save("fp8-rows", {"dtype": "bfloat16", "quantization_config": quantization}, tensors, decoded)


def make_mxfp4():
    tensors, decoded = {}, {}
    for part, shape in (("gate_up_proj", (3, 24, 2)), ("down_proj", (3, 32, 1))):
        blocks = torch.randint(0, 256, (*shape, 16), dtype=torch.uint8)
        scales = torch.randint(0, 250, shape, dtype=torch.uint8)
        name = f"{MLP}experts.{part}"
        tensors |= {f"{name}_blocks": blocks, f"{name}_scales": scales}
        decoded[name] = convert_moe_packed_tensors(blocks, scales).transpose(1, 2)
    save("mxfp4", {"quantization_config": {"quant_method": "mxfp4"}}, tensors, decoded)


def dequantize_4bit(codes, state):
    """By bitsandbytes' own portable code: its CPU kernel begins a block with each row, where its others run on."""
    magnitudes = state.absmax
    if state.nested:
        magnitudes = bitsandbytes.functional.dequantize_blockwise(magnitudes, state.state2) + state.offset
    weight = _dequantize_4bit_compute(
        codes.reshape(-1), magnitudes, state.code, state.blocksize, state.shape, state.dtype)
    if state.shape[-1] % state.blocksize == 0:
        assert torch.equal(weight, bitsandbytes.functional.dequantize_4bit(codes, state))
    return weight


def make_bitsandbytes():
    layer = ATTENTION + "q_proj"
    module = bitsandbytes.nn.Linear8bitLt(48, 32, bias=False, has_fp16_weights=False)
    module.weight = bitsandbytes.nn.Int8Params(
        matrix(32, 48, torch.float16), requires_grad=False, has_fp16_weights=False)
    module = module.to("cpu")
    tensors = {f"{layer}.{part}": value for part, value in module.state_dict().items()}
    weight = bitsandbytes.functional.int8_vectorwise_dequant(module.weight.data, module.weight.SCB).half()
    quantization = {"quant_method": "bitsandbytes", "load_in_8bit": True, "load_in_4bit": False}
    save("bitsandbytes-int8", {"dtype": "float16", "quantization_config": quantization}, tensors, {layer: weight})

    tensors, decoded = {}, {}
    cases = {
        ATTENTION + "q_proj": (torch.bfloat16, "nf4", True, (64, 96)),
        ATTENTION + "k_proj": (torch.float16, "nf4", False, (32, 80)),
        ATTENTION + "v_proj": (torch.bfloat16, "fp4", False, (32, 64)),
        ATTENTION + "o_proj": (torch.float32, "fp4", True, (300, 64)),
    }
    for layer, (kind, codes, nested, shape) in cases.items():
        module = bitsandbytes.nn.Linear4bit(
            shape[1], shape[0], bias=False, compress_statistics=nested, quant_type=codes)
        module.weight = bitsandbytes.nn.Params4bit(
            matrix(*shape, kind), requires_grad=False, compress_statistics=nested, quant_type=codes, blocksize=64)
        module = module.to("cpu")
        tensors |= {f"{layer}.{part}": value for part, value in module.state_dict().items()}
        decoded[layer] = dequantize_4bit(module.weight.data, module.weight.quant_state)
    quantization = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
    save("bitsandbytes-4bit", {"quantization_config": quantization}, tensors, decoded)


def torch_of(array):
    kinds = {mx.bfloat16: torch.bfloat16, mx.float16: torch.float16, mx.float32: torch.float32}
    wide = np.array(array.astype(mx.float32))
    return torch.from_numpy(wide).to(kinds[array.dtype])


def make_mlx(name, dtype, cases, standard):
    mx.random.seed(7)
    tensors, decoded, own = {}, {}, {}
    for layer, (shape, arguments) in cases.items():
        weight = (mx.random.normal(shape) * 0.05).astype(dtype)
        parts = mx.quantize(weight, **arguments)
        decoded[layer] = torch_of(mx.dequantize(*parts, **arguments))
        names = ("weight", "scales", "biases")
        tensors |= {f"{layer}.{part}": value for part, value in zip(names, parts)}
        if arguments != standard:
            own[layer] = arguments
    tensors["model.norm.weight"] = mx.ones((64,), dtype=dtype)
    config = {"quantization": standard | own, "quantization_config": standard | own}
    save(name, config, lambda path: mx.save_safetensors(path, tensors, {"format": "mlx"}), decoded)


def make_all_mlx():
    def affine(bits, size):
        return {"group_size": size, "bits": bits}

    bits = dict(q_proj=2, k_proj=3, v_proj=4, o_proj=5)
    cases = {ATTENTION + part: ((16, 128), affine(count, 64)) for part, count in bits.items()}
    cases |= {MLP + "gate_proj": ((16, 96), affine(6, 32)), MLP + "up_proj": ((16, 64), affine(8, 32))}
    cases |= {"model.embed_tokens": ((24, 64), affine(4, 32))}
    cases |= {MLP + "switch_mlp.down_proj": ((3, 16, 64), affine(4, 64))}
    make_mlx("mlx", mx.bfloat16, cases, affine(4, 64))
    halves = {ATTENTION + "q_proj": ((16, 128), affine(4, 64)), ATTENTION + "k_proj": ((16, 64), affine(3, 32))}
    make_mlx("mlx-half", mx.float16, halves, affine(4, 64))
    modes = {
        ATTENTION + "q_proj": ((16, 64), {"group_size": 32, "bits": 4, "mode": "mxfp4"}),
        ATTENTION + "k_proj": ((16, 64), {"group_size": 16, "bits": 4, "mode": "nvfp4"}),
        ATTENTION + "v_proj": ((16, 64), {"group_size": 32, "bits": 8, "mode": "mxfp8"}),
    }
    make_mlx("mlx-modes", mx.bfloat16, modes, {"group_size": 32, "bits": 4, "mode": "mxfp4"})


def llama_config(dtype):
    return dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=64, intermediate_size=96,
        num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2, vocab_size=48,
        max_position_embeddings=128, rms_norm_eps=1e-5, rope_theta=10000.0, hidden_act="silu",
        tie_word_embeddings=True, torch_dtype=dtype)


def make_llamas():
    """Whole models of one block."""
    shapes = {ATTENTION + "q_proj": (64, 64), ATTENTION + "k_proj": (32, 64), ATTENTION + "v_proj": (32, 64),
              ATTENTION + "o_proj": (64, 64), MLP + "gate_proj": (96, 64), MLP + "up_proj": (96, 64),
              MLP + "down_proj": (64, 96)}
    norms = ["model.norm", "model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm"]
    tensors = {f"{norm}.weight": torch.ones(64, dtype=torch.float16) for norm in norms}
    tensors["model.embed_tokens.weight"] = matrix(48, 64, torch.float16)
    decoded = {}
    for layer, shape in shapes.items():
        parts, decoded[layer] = gptq_layer(*shape, 4, 32, False, 1)
        tensors |= {f"{layer}.{part}": value for part, value in parts.items()}
    quantization = {"quant_method": "gptq", "bits": 4, "group_size": 32, "checkpoint_format": "gptq"}
    save("gptq-llama", llama_config("float16") | {"quantization_config": quantization}, tensors, decoded)

    arguments = {"group_size": 32, "bits": 4}
    mx.random.seed(8)
    tensors = {f"{norm}.weight": mx.ones((64,), dtype=mx.bfloat16) for norm in norms}
    decoded = {}
    for layer, shape in ({"model.embed_tokens": (48, 64)} | shapes).items():
        parts = mx.quantize((mx.random.normal(shape) * 0.05).astype(mx.bfloat16), **arguments)
        decoded[layer] = torch_of(mx.dequantize(*parts, **arguments))
        tensors |= {f"{layer}.{part}": value for part, value in zip(("weight", "scales", "biases"), parts)}
    config = llama_config("bfloat16") | {"quantization": arguments, "quantization_config": arguments}
    save("mlx-llama", config, lambda path: mx.save_safetensors(path, tensors, {"format": "mlx"}), decoded)


def main():
    torch.manual_seed(7)
    make_gptq("gptq", 1)
    make_gptq("gptq-v2", 2)
    make_awq()
    make_awq_gemv()
    make_awq_bits(3)
    make_awq_bits(8)
    make_fp8_blocks()
    make_fp8_rows()
    make_mxfp4()
    make_bitsandbytes()
    make_all_mlx()
    make_llamas()
    (FIXTURES / "digests.json").write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
