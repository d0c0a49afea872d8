#!/usr/bin/env python3
"""Changes config.json of the tiny models of make_families.py, and records what transformers makes of each.

usage: make_settings.py FOLDER     FOLDER is what make_families.py made; each family in it gets two files more

  settings.json           a list of changes: a name, the keys that are set and those that are taken away
  settings.safetensors    for each change that transformers runs, under its name, the logits after the last tokens of row 0,
                          in a vector of F32

The changes are such as are said twice, left out, misspelt, or meant for another family. Packages:
Tests/Interop/requirements.txt.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM
from transformers.utils import logging

LAST = 6
OLD = ("rope_parameters", "rope_scaling", "rope_theta")
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16}
LINEAR = {"rope_type": "linear", "factor": 3.0}


def change(name, without=(), **values):
    return {"name": name, "set": values, "remove": list(without)}


CHANGES = [
    change("rope in both sections", rope_scaling=LINEAR, rope_parameters={"rope_type": "default", "rope_theta": 777.0}),
    change("base beside its section", rope_theta=123.0, rope_parameters={"rope_type": "default", "rope_theta": 777.0}),
    change("base alone", OLD, rope_theta=123.0),
    change("no rope at all", OLD),
    change("old words", OLD, rope_theta=123.0, rope_scaling={"type": "linear", "factor": 2.0}),
    change("two types", OLD, rope_scaling={"type": "linear", "rope_type": "default", "factor": 2.0}),
    change("first length beside its section", OLD, rope_parameters=LLAMA3, original_max_position_embeddings=64),
    change("no first length", OLD, rope_parameters={k: v for k, v in LLAMA3.items() if "original" not in k}),
    change("other part of heads", partial_rotary_factor=0.5),
    change("own base of windows", rope_local_base_freq=55.0),
    change("a window", sliding_window=5),
    change("a window switched on", ["layer_types"], sliding_window=5, use_sliding_window=True, max_window_layers=1),
    change("no word of windows", ["sliding_window", "layer_types", "use_sliding_window", "max_window_layers"]),
    change("kinds of blocks", sliding_window=5, use_sliding_window=True, layer_types=["full_attention", "sliding_attention",
                                                                                      "full_attention"]),
    change("kinds of blocks, switched off", sliding_window=5, use_sliding_window=False, layer_types=[
        "full_attention", "sliding_attention", "full_attention"]),
    change("every other block", ["layer_types", "_sliding_window_pattern"], sliding_window_pattern=2),
    change("exact GELU", hidden_act="gelu", hidden_activation="gelu"),
    change("the other activation", hidden_activation="relu"),
    change("no activation", ["hidden_act", "hidden_activation"]),
    change("unknown activation", hidden_act="quick_gelu", hidden_activation="quick_gelu"),
    change("no epsilon", ["rms_norm_eps", "norm_epsilon"]),
    change("another's epsilon", layer_norm_eps=0.3, norm_eps=0.2),
    change("bound of scores", attn_logit_softcapping=1.0),
    change("no bounds", ["attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar"]),
    change("multipliers", embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.3, logits_scaling=2.0),
    change("no multipliers", ["embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling"]),
    change("norms of queries", use_qk_norm=True),
    change("a scale of logits", logit_scale=2.0),
    change("tied", tie_word_embeddings=True),
    change("biases left out", ["attention_bias", "mlp_bias", "attention_out_bias", "use_bias", "qkv_bias"]),
    change("one expert a token", num_experts_per_tok=1),
    change("weights of all experts", norm_topk_prob=False),
    change("no rope in any block", no_rope_layers=[0, 0, 0]),
    change("rope in every other block", ["no_rope_layers", "layer_types"], no_rope_layer_interval=2),
    change("attends to all", use_bidirectional_attention=True),
    change("dropout", attention_dropout=0.5),
    change("growing queries", llama_4_scaling_beta=0.5),
]


@torch.no_grad()
def record(family):
    config = json.loads((family / "config.json").read_text(encoding="utf-8"))
    tokens = load_file(family / "oracle.safetensors")["tokens.0"].long()
    found = {}
    for one in CHANGES:
        changed = {key: value for key, value in config.items() if key not in one["remove"]} | one["set"]
        with tempfile.TemporaryDirectory() as folder:
            os.symlink((family / "model.safetensors").resolve(), f"{folder}/model.safetensors")
            Path(folder, "config.json").write_text(json.dumps(changed), encoding="utf-8")
            try:
                model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
                logits = model(tokens[None], use_cache=False).logits[0, -LAST:]
            except Exception:
                # What transformers refuses has no value; its reasons are of every kind.
                continue
            # Gemma's "gelu" means the tanh form, which transformers before 5.24 did not know.
            if config["model_type"] == "gemma" and getattr(model.config, "hidden_act", None) == "gelu":
                continue
            if torch.isfinite(logits).all():
                found[one["name"]] = logits.flatten().contiguous()
    (family / "settings.json").write_text(json.dumps(CHANGES), encoding="utf-8")
    save_file(found, family / "settings.safetensors")
    return len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    for name in json.loads((folder / "families.json").read_text(encoding="utf-8")):
        config = json.loads((folder / name / "config.json").read_text(encoding="utf-8"))
        if "text_config" not in config:
            print(f"{name:16} {record(folder / name)} of {len(CHANGES)} changes run", flush=True)


if __name__ == "__main__":
    main()
