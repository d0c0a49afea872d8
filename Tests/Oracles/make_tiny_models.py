#!/usr/bin/env python3
"""Makes CheckpointsTests/Fixtures: three tiny Llama models of random weights, and some of their rows.

  tiny/           one safetensors file, tied embeddings, BF16 with F32 norms
  tiny-sharded/   two shards, an LM head, F16, Llama 3's RoPE scaling as transformers 5 writes it
  tiny.gguf       the weights of tiny-sharded as llama.cpp stores them: q and k rows permuted, the
                  RoPE scaling as a tensor of factors
  tiny-rows.json  the last row of every tensor, by model and Hugging Face name

The tokenizer is a byte-level BPE with a handful of merges. Needs requirements.txt.
"""

import json
from pathlib import Path

import numpy as np
import safetensors
from gguf import GGUFWriter, TokenType
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

FIXTURES = Path(__file__).parent.parent / "CheckpointsTests" / "Fixtures"
HIDDEN, INNER, BLOCKS, HEADS, KV_HEADS, HEAD_SIZE = 32, 64, 2, 4, 2, 8
THETA, FACTOR, LOW, HIGH, ORIGINAL = 500_000.0, 8.0, 1.0, 4.0, 8192
TEXT = ["the theme of these things is that they are the thin end of the wedge"] * 4
SPECIAL = ["<|begin|>", "<|end|>"]


def tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=276, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def weights(rng, vocabulary, tied):
    def matrix(rows, columns):
        return (rng.standard_normal((rows, columns)) * 0.1).astype(np.float32)

    def norm():
        return (1 + rng.standard_normal(HIDDEN) * 0.1).astype(np.float32)

    tensors = {"model.embed_tokens": matrix(vocabulary, HIDDEN), "model.norm": norm()}
    if not tied:
        tensors["lm_head"] = matrix(vocabulary, HIDDEN)
    for block in range(BLOCKS):
        tensors |= {
            f"model.layers.{block}.{name}": values
            for name, values in {
                "input_layernorm": norm(),
                "post_attention_layernorm": norm(),
                "self_attn.q_proj": matrix(HEADS * HEAD_SIZE, HIDDEN),
                "self_attn.k_proj": matrix(KV_HEADS * HEAD_SIZE, HIDDEN),
                "self_attn.v_proj": matrix(KV_HEADS * HEAD_SIZE, HIDDEN),
                "self_attn.o_proj": matrix(HIDDEN, HEADS * HEAD_SIZE),
                "mlp.gate_proj": matrix(INNER, HIDDEN),
                "mlp.up_proj": matrix(INNER, HIDDEN),
                "mlp.down_proj": matrix(HIDDEN, INNER),
            }.items()
        }
    return tensors


def stored(values, kind):
    """Values rounded to a type, and the array and safetensors type that hold them."""
    if kind == "bfloat16" and values.ndim == 2:
        bits = (values.view(np.uint32) >> 16).astype(np.uint16)
        return (bits.astype(np.uint32) << 16).view(np.float32), bits, kind
    if kind == "float16" and values.ndim == 2:
        values = values.astype(np.float16)
    return values.astype(np.float32), values, values.dtype.name


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def write_directory(folder, tensors, kind, shards, config, tokens):
    folder.mkdir(parents=True, exist_ok=True)
    # The arrays must outlive the entries, which hold addresses only.
    arrays, entries, rounded = {}, {}, {}
    for name, values in tensors.items():
        rounded[name], array, type_name = stored(values, kind)
        arrays[f"{name}.weight"] = array
        entries[f"{name}.weight"] = safetensors.TensorSpec(
            dtype=type_name, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes)
    names = sorted(entries)
    files = {}
    for shard in range(shards):
        file = (f"model-{shard + 1:05d}-of-{shards:05d}.safetensors" if shards > 1
                else "model.safetensors")
        part = names[shard::shards]
        safetensors.serialize_file(
            {name: entries[name] for name in part}, str(folder / file), {"format": "pt"})
        files |= {name: file for name in part}
    if shards > 1:
        size = sum(array.nbytes for array in arrays.values())
        write_json(folder / "model.safetensors.index.json",
                   {"metadata": {"total_size": size}, "weight_map": files})
    write_json(folder / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
        "intermediate_size": INNER, "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "head_dim": HEAD_SIZE, "hidden_act": "silu",
        "vocab_size": tokens.get_vocab_size(), "max_position_embeddings": 128,
        "rms_norm_eps": 1e-05, "bos_token_id": 0, "eos_token_id": 1} | config)
    tokens.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SPECIAL[0],
        "eos_token": {"content": SPECIAL[1], "special": True}})
    return rounded


def llama3_factors():
    factors = []
    for pair in range(HEAD_SIZE // 2):
        wavelength = 2 * np.pi * THETA ** (2 * pair / HEAD_SIZE)
        if wavelength < ORIGINAL / HIGH:
            factors.append(1.0)
        elif wavelength > ORIGINAL / LOW:
            factors.append(FACTOR)
        else:
            smooth = (ORIGINAL / wavelength - LOW) / (HIGH - LOW)
            factors.append(1 / ((1 - smooth) / FACTOR + smooth))
    return np.array(factors, dtype=np.float32)


def permuted(values, heads):
    """The order in which llama.cpp stores q and k rows."""
    return (values.reshape(heads, 2, values.shape[0] // heads // 2, values.shape[1])
            .swapaxes(1, 2).reshape(values.shape))


def write_gguf(path, tensors, tokens):
    names = {
        "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down"}
    outside = {"model.embed_tokens": "token_embd", "model.norm": "output_norm",
               "lm_head": "output"}
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(BLOCKS)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-05)
    writer.add_rope_freq_base(THETA)
    writer.add_rope_dimension_count(HEAD_SIZE)
    vocabulary = sorted(tokens.get_vocab(), key=tokens.get_vocab().get)
    merges = json.loads(tokens.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    writer.add_token_types(
        [TokenType.CONTROL if token in SPECIAL else TokenType.NORMAL for token in vocabulary])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_tensor("rope_freqs.weight", llama3_factors())
    for name, values in tensors.items():
        if name in outside:
            target = outside[name]
        else:
            _, _, block, part = name.split(".", 3)
            target = f"blk.{block}.{names[part]}"
        if name.endswith("q_proj"):
            values = permuted(values, HEADS)
        if name.endswith("k_proj"):
            values = permuted(values, KV_HEADS)
        writer.add_tensor(
            f"{target}.weight", values.astype(np.float16) if values.ndim == 2 else values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    FIXTURES.mkdir(exist_ok=True)
    rng = np.random.default_rng(2026)
    tokens = tokenizer()
    size = tokens.get_vocab_size()
    tied = write_directory(
        FIXTURES / "tiny", weights(rng, size, tied=True), "bfloat16", 1,
        {"tie_word_embeddings": True, "rope_theta": 10000.0, "rope_scaling": None}, tokens)
    scaling = {"rope_type": "llama3", "rope_theta": THETA, "factor": FACTOR,
               "low_freq_factor": LOW, "high_freq_factor": HIGH,
               "original_max_position_embeddings": ORIGINAL}
    untied = write_directory(
        FIXTURES / "tiny-sharded", weights(rng, size, tied=False), "float16", 2,
        {"tie_word_embeddings": False, "rope_parameters": scaling}, tokens)
    write_gguf(FIXTURES / "tiny.gguf", untied, tokens)
    rows = {
        model: {name: np.atleast_2d(values)[-1].tolist() for name, values in tensors.items()}
        for model, tensors in {"tiny": tied, "tiny-sharded": untied}.items()}
    (FIXTURES / "tiny-rows.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
