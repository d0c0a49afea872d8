#!/usr/bin/env python3
"""hf_to_gguf.py FOLDER FILE: a Llama checkpoint of Hugging Face as F16 GGUF, so that llama-quantize can read it.

Byte-level BPE tokenizers that split digits one by one only (as SmolLM's and the sample's do).
"""
import json
import os
import sys

import gguf
import numpy

NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    stem = name.removesuffix(".weight")
    if stem.startswith("model.layers."):
        _, _, block, part = stem.split(".", 3)
        return f"blk.{block}.{NAMES[part]}.weight"
    return f"{NAMES[stem]}.weight"


def interleaved(rows, heads):
    """Rows of q or k in the order that ggml's RoPE expects: the halves of a head interleaved."""
    return rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def tensors(path):
    """Names and values in F32 of a safetensors file; numpy alone knows no BF16."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start = file.tell()
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            data = file.read(end - begin)
            if entry["dtype"] == "BF16":
                wide = numpy.frombuffer(data, numpy.uint16).astype(numpy.uint32) << 16
                values = wide.view(numpy.float32)
            else:
                values = numpy.frombuffer(data, {"F16": numpy.float16, "F32": numpy.float32}[
                    entry["dtype"]]).astype(numpy.float32)
            yield name, values.reshape(entry["shape"])


def main(folder, path):
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    with open(os.path.join(folder, "tokenizer.json")) as file:
        tokenizer = json.load(file)
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(os.path.basename(os.path.normpath(folder)))
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)

    special = {token["id"] for token in tokenizer["added_tokens"]}
    vocabulary = {**tokenizer["model"]["vocab"],
                  **{token["content"]: token["id"] for token in tokenizer["added_tokens"]}}
    tokens = sorted(vocabulary, key=vocabulary.get)
    kinds = [gguf.TokenType.CONTROL if vocabulary[token] in special else gguf.TokenType.NORMAL
             for token in tokens]
    merges = tokenizer["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_add_bos_token(False)

    for name, values in tensors(os.path.join(folder, "model.safetensors")):
        if name.endswith("q_proj.weight"):
            values = interleaved(values, heads)
        elif name.endswith("k_proj.weight"):
            values = interleaved(values, kv_heads)
        kind = numpy.float32 if values.ndim == 1 else numpy.float16
        writer.add_tensor(gguf_name(name), values.astype(kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
