#!/usr/bin/env python3
"""Makes a Llama checkpoint, or a mixture of experts, of random BF16 weights of any size, for looking at memory and time.

    make_synthetic.py DIRECTORY [--blocks 35] [--hidden 4096] [--tokenizer DIRECTORY]

With the defaults it takes 15 GB in shards of at most 5 GB. Weights are parts of one block of normal numbers,
each tensor from another place in it, so that writing is as quick as the disk. With --sparse they are holes in the files,
which read as zeros and take no room: --blocks 80 --hidden 8192 --intermediate 28672 --heads 64 --kv-heads 8
--vocabulary 128256 has the shape of a Llama of 70 billion weights. With --experts it is a Qwen 3 mixture, each of whose
experts has its tensors: --sparse --experts 256 --blocks 40 --hidden 2048 --intermediate 512 --heads 16 --kv-heads 2 takes
66 GB in 31,000 of them. The tokenizer's files are copied from a model whose
vocabulary is not larger than --vocabulary. Needs numpy.
"""

import argparse
import json
import pathlib
import shutil

import numpy

SHARD_BYTES = 5_000_000_000
POOL_BYTES = 64 << 20


def tensors(options):
    """Names and shapes of all tensors, in the order of the file."""
    hidden, inner = options.hidden, options.intermediate
    keys = hidden // options.heads * options.kv_heads
    yield "model.embed_tokens.weight", [options.vocabulary, hidden]
    for block in range(options.blocks):
        prefix = f"model.layers.{block}."
        for name, rows, columns in [
            ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", keys, hidden),
            ("self_attn.v_proj", keys, hidden), ("self_attn.o_proj", hidden, hidden),
        ]:
            yield f"{prefix}{name}.weight", [rows, columns]
        for expert in range(options.experts) or [None]:
            mlp = f"{prefix}mlp." if expert is None else f"{prefix}mlp.experts.{expert}."
            for name, rows, columns in [
                ("gate_proj", inner, hidden), ("up_proj", inner, hidden), ("down_proj", hidden, inner),
            ]:
                yield f"{mlp}{name}.weight", [rows, columns]
        if options.experts:
            yield f"{prefix}mlp.gate.weight", [options.experts, hidden]
            for name in ["q_norm", "k_norm"]:
                yield f"{prefix}self_attn.{name}.weight", [hidden // options.heads]
        for name in ["input_layernorm", "post_attention_layernorm"]:
            yield f"{prefix}{name}.weight", [hidden]
    yield "model.norm.weight", [hidden]
    yield "lm_head.weight", [options.vocabulary, hidden]


def pool(seed):
    """Normal numbers of standard deviation 0.02 as BF16 bytes."""
    numbers = numpy.random.default_rng(seed).standard_normal(POOL_BYTES // 2, numpy.float32)
    return ((numbers * 0.02).view(numpy.uint32) >> 16).astype("<u2").tobytes()


def write_shard(path, shard, weights, number):
    """Writes a safetensors file of (name, shape) pairs; without weights, of holes."""
    header, offset = {}, 0
    for name, shape in shard:
        size = 2 * int(numpy.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        if not weights:
            file.truncate(8 + len(text) + offset)
            return number
        for name, shape in shard:
            left = 2 * int(numpy.prod(shape))
            start = 2 * (number * 7919 % (len(weights) // 4))
            number += 1
            while left > 0:
                left -= file.write(weights[start:start + left])
                start = 0
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--blocks", type=int, default=35)
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--intermediate", type=int, default=11008)
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--kv-heads", type=int, default=32)
    parser.add_argument("--experts", type=int, default=0)
    parser.add_argument("--chosen", type=int, default=8)
    parser.add_argument("--vocabulary", type=int, default=32000)
    parser.add_argument("--tokenizer", type=pathlib.Path, default="Samples/scripture")
    parser.add_argument("--sparse", action="store_true")
    options = parser.parse_args()
    options.directory.mkdir(parents=True)
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copy(options.tokenizer / name, options.directory)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": options.hidden, "intermediate_size": options.intermediate,
        "num_hidden_layers": options.blocks, "num_attention_heads": options.heads,
        "num_key_value_heads": options.kv_heads, "vocab_size": options.vocabulary,
        "max_position_embeddings": 4096, "rope_theta": 10000.0, "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False, "torch_dtype": "bfloat16", "bos_token_id": 0,
        "eos_token_id": 0,
    }
    if options.experts:
        config |= {
            "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "num_experts": options.experts,
            "num_experts_per_tok": options.chosen, "moe_intermediate_size": options.intermediate,
            "norm_topk_prob": True, "head_dim": options.hidden // options.heads}
    (options.directory / "config.json").write_text(json.dumps(config, indent=2))

    shards, size = [[]], 0
    for name, shape in tensors(options):
        count = 2 * int(numpy.prod(shape))
        if size + count > SHARD_BYTES and shards[-1]:
            shards.append([])
            size = 0
        shards[-1].append((name, shape))
        size += count
    weights, number, places = None if options.sparse else pool(seed=1), 0, {}
    for index, shard in enumerate(shards, 1):
        file = f"model-{index:05}-of-{len(shards):05}.safetensors"
        number = write_shard(options.directory / file, shard, weights, number)
        places.update((name, file) for name, _ in shard)
    index = {"metadata": {}, "weight_map": places}
    (options.directory / "model.safetensors.index.json").write_text(json.dumps(index))


if __name__ == "__main__":
    main()
