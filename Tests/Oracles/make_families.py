#!/usr/bin/env python3
"""Makes a tiny checkpoint of every family that Vise runs, and what transformers computes with it.

usage: make_families.py OUT     each family in a directory OUT/NAME, their names in families.json; OUT is new, or its own

Beside the checkpoint, whose weights are random and stored as BF16, each directory has oracle.safetensors, all of it in
vectors of F32:

  tokens.N, logits.N    rows of token ids, and the logits after each token, in single precision
  greedy                the likeliest tokens after row 1, one after the other, without a cache
  fisher.LAYER.*        inputs, outputs and trace as record_fisher.py has them, of both rows as windows,
                        with its labels; experts stand one below the other in `outputs`
  squares.LAYER         sums over the tokens of row 0 of what the layer reads, squared: experts x columns
  uses.LAYER            how many of these tokens each expert reads
  saliency.LAYER        of experts' last layers: for each expert the mean, over the tokens of both rows that it reads, of its
                        weight times the length of its output

Windows, original context lengths and router choices are such that they matter within the rows. Weights are drawn
again where a greedy token or a label wins by so little that rounding might choose another.

Packages: Tests/Interop/requirements.txt.
"""

import argparse
import copy
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from record_fisher import labels
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, PreTrainedTokenizerFast
from transformers.utils import logging

BLOCKS, VOCABULARY, ROWS, GREEDY = 3, 288, (40, 28), 8
WINDOW, ORIGINAL = 7, 32
# By how much a token has to win, in logits of about one.
MARGIN = 2e-3

PLAIN = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": BLOCKS, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": VOCABULARY, "max_position_embeddings": 64, "bos_token_id": 0,
    "eos_token_id": 1, "pad_token_id": 1, "tie_word_embeddings": False}
TIED = {"tie_word_embeddings": True}
BIASED = {"attention_bias": True}
SLIDING = {"sliding_window": WINDOW}
LOCAL = {**SLIDING, "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]}
EXPERTS = {"num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
LOCAL_EXPERTS = {"num_local_experts": 6, "num_experts_per_tok": 2, "intermediate_size": 32}
HYBRID = {
    "head_dim": 32, "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 16,
    "linear_conv_kernel_dim": 4, "rope_parameters": {
        "rope_type": "default", "rope_theta": 100.0, "partial_rotary_factor": 0.25}}
HYBRID_EXPERTS = {**HYBRID, **EXPERTS, "shared_expert_intermediate_size": 48}
MAMBA = {
    "layer_types": ["mamba", "attention", "mamba"], "mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": 12,
    "mamba_d_conv": 3}
CONVOLUTIONS = {**TIED, "layer_types": ["conv", "full_attention", "conv"], "conv_L_cache": 4}
MULTIPLIERS = {
    "embedding_multiplier": 6.0, "logits_scaling": 0.5, "residual_multiplier": 0.4, "attention_multiplier": 0.2}
VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "patch_size": 4,
    "image_size": 16}


def rope(kind, theta=10_000.0, **settings):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **settings}}


def long_rope(pairs):
    return {"original_max_position_embeddings": ORIGINAL, **rope(
        "longrope", short_factor=[1 + i / 16 for i in range(pairs)], long_factor=[1.5 + i / 2 for i in range(pairs)],
        original_max_position_embeddings=ORIGINAL)}


YARN = rope("yarn", factor=4.0, original_max_position_embeddings=ORIGINAL, beta_fast=4.0, beta_slow=1.0)
# Every other block sees a window, and YaRN's ramp begins and ends within pairs.
GPT_OSS = {
    **LOCAL_EXPERTS, **SLIDING, "head_dim": 32, **rope(
        "yarn", factor=4.0, original_max_position_embeddings=ORIGINAL, beta_fast=4.0, beta_slow=1.0, truncate=False)}
SIGMOID = {
    "n_routed_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "n_shared_experts": 2, "n_group": 3,
    "topk_group": 2, "norm_topk_prob": True, "first_k_dense_replace": 1}
LATENT = {
    "num_key_value_heads": 4, "q_lora_rank": 24, "kv_lora_rank": 20, "qk_nope_head_dim": 12, "qk_rope_head_dim": 8,
    "v_head_dim": 18}
LLAMA3 = rope(
    "llama3", 500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=ORIGINAL)
TWO_ROPES = {"rope_parameters": {
    "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
    "full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0}}}
MINISTRAL = {"head_dim": 32, "rope_parameters": {
    **YARN["rope_parameters"], "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1}}
GEMMA4 = {"head_dim": 32, "global_head_dim": 48, "rope_parameters": {
    "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
    "full_attention": {"rope_type": "proportional", "rope_theta": 10_000.0, "partial_rotary_factor": 0.5}}}


# What checkpoints call the two stacks of experts that transformers has in memory.
EXPERT_NAMES = {
    "mixtral": {
        "gate_up_proj": ["block_sparse_moe.experts.w1", "block_sparse_moe.experts.w3"],
        "down_proj": ["block_sparse_moe.experts.w2"]},
    "granite": {
        "gate_up_proj": ["block_sparse_moe.input_linear"], "down_proj": ["block_sparse_moe.output_linear"]},
    "gpt_oss": {"gate_up_proj": ["mlp.experts.gate_up_proj"], "down_proj": ["mlp.experts.down_proj"]},
    "liquid": {
        "gate_up_proj": ["feed_forward.experts.w1", "feed_forward.experts.w3"],
        "down_proj": ["feed_forward.experts.w2"]},
    "others": {
        "gate_up_proj": ["mlp.experts.gate_proj", "mlp.experts.up_proj"], "down_proj": ["mlp.experts.down_proj"]},
}


@dataclass(frozen=True)
class Family:
    """A model type, what differs from PLAIN, and the model for images that it is a part of, if it is."""
    model_type: str
    settings: dict = field(default_factory=dict)
    wrapper: tuple | None = None
    stores_mxfp4: bool = False


FAMILIES = {
    "llama": Family("llama"),
    "llama-bias": Family("llama", {**TIED, **BIASED, "mlp_bias": True, "head_dim": 32}),
    "llama-linear": Family("llama", rope("linear", factor=4.0)),
    "llama-llama3": Family("llama", LLAMA3),
    "llama-yarn": Family("llama", YARN),
    "llama-longrope": Family("llama", long_rope(8)),
    "mistral": Family("mistral", SLIDING),
    "ministral3": Family("ministral3", MINISTRAL),
    "mistral3": Family("ministral3", MINISTRAL, (
        "mistral3", {"vision_config": {**VISION, "model_type": "pixtral", "head_dim": 16}})),
    "qwen2": Family("qwen2", TIED),
    "qwen2-window": Family("qwen2", {**SLIDING, "use_sliding_window": True, "max_window_layers": 1}),
    "qwen3": Family("qwen3", {"head_dim": 32}),
    "gemma": Family("gemma", {**TIED, "head_dim": 32, "num_key_value_heads": 1}),
    "gemma2": Family("gemma2", {
        **TIED, **SLIDING, "head_dim": 32, "query_pre_attn_scalar": 24, "attn_logit_softcapping": 2.0,
        "final_logit_softcapping": 2.5}),
    "gemma3": Family("gemma3_text", {**TIED, **LOCAL, **TWO_ROPES, "head_dim": 32, "query_pre_attn_scalar": 24}),
    "gemma3-wrapped": Family(
        "gemma3_text", {**TIED, **LOCAL, **TWO_ROPES, "head_dim": 32, "query_pre_attn_scalar": 24},
        ("gemma3", {"vision_config": VISION, "mm_tokens_per_image": 4})),
    "gemma4": Family("gemma4_text", {
        **TIED, **SLIDING, **GEMMA4, "num_hidden_layers": 6, "layer_types": ["sliding_attention", "full_attention"] * 3,
        "num_kv_shared_layers": 2, "use_double_wide_mlp": True, "hidden_size_per_layer_input": 16,
        "vocab_size_per_layer_input": VOCABULARY, "final_logit_softcapping": 2.5}),
    "gemma4-wrapped": Family("gemma4_text", {
        **TIED, **LOCAL, **GEMMA4, "hidden_size_per_layer_input": 0, "num_global_key_value_heads": 1,
        "attention_k_eq_v": True}, ("gemma4", {"vision_config": {
            **VISION, "model_type": "gemma4_vision", "num_key_value_heads": 2, "head_dim": 16,
            "position_embedding_size": 16}})),
    "gemma4-moe": Family("gemma4_text", {
        **TIED, **LOCAL, **GEMMA4, "hidden_size_per_layer_input": 0, "num_global_key_value_heads": 1,
        "attention_k_eq_v": True, "enable_moe_block": True, "num_experts": 6, "top_k_experts": 2,
        "moe_intermediate_size": 32}),
    "phi3": Family("phi3", {**SLIDING, **long_rope(8)}),
    "phi3-partial": Family("phi3", {
        **TIED, "sliding_window": None, **rope("default", partial_rotary_factor=0.75)}),
    "granite": Family("granite", {**TIED, **MULTIPLIERS}),
    "smollm3": Family("smollm3", {**TIED, "no_rope_layers": [1, 0, 1]}),
    "olmo2": Family("olmo2"),
    "glm4": Family("glm4", {**BIASED, "head_dim": 32, **rope("default", partial_rotary_factor=0.5)}),
    "starcoder2": Family("starcoder2", {**TIED, **SLIDING, "use_bias": True}),
    "seed_oss": Family("seed_oss", {**BIASED, "attention_out_bias": False, "head_dim": 32}),
    "mixtral": Family("mixtral", LOCAL_EXPERTS),
    "qwen2_moe": Family("qwen2_moe", {
        **EXPERTS, "shared_expert_intermediate_size": 48, "norm_topk_prob": False, "mlp_only_layers": [1]}),
    "qwen3_moe": Family("qwen3_moe", {**EXPERTS, "norm_topk_prob": True, "head_dim": 32}),
    "qwen3_5": Family("qwen3_5_text", HYBRID),
    "qwen3_5-wrapped": Family("qwen3_5_text", {**HYBRID, **TIED, "linear_num_value_heads": 2}, (
        "qwen3_5", {"vision_config": {
            "depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64,
            "patch_size": 4, "num_position_embeddings": 16}})),
    "qwen3_5_moe": Family("qwen3_5_moe_text", HYBRID_EXPERTS),
    "qwen3_next": Family("qwen3_next", HYBRID_EXPERTS),
    "olmoe": Family("olmoe", {
        **EXPERTS, "moe_intermediate_size": None, "intermediate_size": 32, "norm_topk_prob": False}),
    "gpt_oss": Family("gpt_oss", GPT_OSS),
    "gpt_oss-whole-pairs": Family("gpt_oss", {
        **GPT_OSS, **rope("yarn", factor=4.0, original_max_position_embeddings=ORIGINAL)}),
    "gpt_oss-mxfp4": Family(
        "gpt_oss", {**GPT_OSS, **rope("yarn", factor=4.0, original_max_position_embeddings=ORIGINAL)},
        stores_mxfp4=True),
    "glm4_moe": Family("glm4_moe", {
        **SIGMOID, **BIASED, "head_dim": 32, "use_qk_norm": True, "routed_scaling_factor": 1.5,
        **rope("default", partial_rotary_factor=0.5)}),
    "minimax_m2": Family("minimax_m2", {
        **LOCAL_EXPERTS, "head_dim": 32, **rope("default", partial_rotary_factor=0.5)}),
    "deepseek_v2": Family("deepseek_v2", {
        **SIGMOID, **LATENT, "topk_method": "group_limited_greedy", "routed_scaling_factor": 1.5}),
    "deepseek_v2-lite": Family("deepseek_v2", {**SIGMOID, **LATENT, "q_lora_rank": None, "topk_method": "greedy"}),
    "deepseek_v3": Family("deepseek_v3", {
        **SIGMOID, **LATENT, "routed_scaling_factor": 2.5, **rope(
            "yarn", factor=4.0, original_max_position_embeddings=ORIGINAL, mscale=0.7, mscale_all_dim=0.7)}),
    "granitemoe": Family("granitemoe", {**LOCAL_EXPERTS, **MULTIPLIERS}),
    "granitemoehybrid": Family("granitemoehybrid", {
        **MULTIPLIERS, **MAMBA, **TIED, "num_local_experts": 0, "num_experts_per_tok": 0,
        "shared_intermediate_size": 96}),
    "granitemoehybrid-experts": Family("granitemoehybrid", {
        **MULTIPLIERS, **MAMBA, **LOCAL_EXPERTS, "shared_intermediate_size": 48, "position_embedding_type": "rope"}),
    "lfm2": Family("lfm2", {
        **CONVOLUTIONS, "intermediate_size": 100, "block_multiple_of": 32, "block_ffn_dim_multiplier": 1.25}),
    "lfm2_moe": Family("lfm2_moe", {**CONVOLUTIONS, **EXPERTS, "num_dense_layers": 1}),
}


def configuration(family):
    # What a family takes away is left out, but for a window: null there means none.
    settings = {
        key: value for key, value in {**PLAIN, **family.settings}.items()
        if value is not None or key == "sliding_window"}
    config = AutoConfig.for_model(family.model_type, **settings)
    if not family.wrapper:
        return config
    kind, parts = family.wrapper
    text = {key: value for key, value in config.to_dict().items() if key != "transformers_version"}
    return AutoConfig.for_model(kind, text_config=text, tie_word_embeddings=config.tie_word_embeddings, **parts)


def tokenizer():
    """A byte-level BPE: exports to GGUF need one."""
    result = Tokenizer(models.BPE())
    result.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    result.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<|begin|>", "<|end|>"], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    result.train_from_iterator(["the theme of these things is the thin end of the wedge, another other"] * 4, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=result, bos_token="<|begin|>", eos_token="<|end|>")


def mxfp4(weights):
    """Experts x inputs x outputs rounded to E2M1 in groups of 32 inputs with a power of two each: the weights, and the
    `_blocks` and `_scales` that gpt-oss stores of them."""
    rows = weights.transpose(1, 2)
    groups = rows.reshape(*rows.shape[:2], -1, 32)
    exponents = groups.abs().amax(-1).log2().floor() - 2
    grid = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    grid = torch.cat([grid, -grid])
    codes = (groups / exponents.exp2()[..., None])[..., None].sub(grid).abs().argmin(-1)
    rounded = grid[codes] * exponents.exp2()[..., None]
    blocks = (codes[..., ::2] | codes[..., 1::2] << 4).to(torch.uint8)
    return rounded.reshape(rows.shape).transpose(1, 2), blocks, (exponents + 127).to(torch.uint8)


def store_mxfp4(directory):
    """Puts the codes of experts in the place of their numbers, as published models have them."""
    tensors = load_file(directory / "model.safetensors")
    for name in [name for name in tensors if name.endswith(("experts.gate_up_proj", "experts.down_proj"))]:
        _, tensors[f"{name}_blocks"], tensors[f"{name}_scales"] = mxfp4(tensors.pop(name).float())
    save_file(tensors, directory / "model.safetensors", {"format": "pt"})
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": [
        "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]}
    (directory / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


@torch.no_grad()
def model_of(family, seed):
    """A model in which every weight shows: no norm is one, no bias is zero."""
    torch.manual_seed(seed)
    kind = AutoModelForImageTextToText if family.wrapper else AutoModelForCausalLM
    model = kind.from_config(configuration(family), dtype=torch.float32, attn_implementation="eager").eval()
    model.set_experts_implementation("eager")
    for name, values in sorted(model.named_parameters()):
        noise = torch.randn(values.shape)
        # States forget slowly, so that it shows what they keep.
        if name.endswith("A_log"):
            values.fill_(-2.5)
        new = noise / math.sqrt(values.shape[-1]) if is_matrix(name, values) else values + 0.2 * noise
        # What gpt-oss' gates are bounded to has to show.
        if name.endswith("experts.gate_up_proj_bias"):
            new = new * 20
        if family.stores_mxfp4 and values.dim() == 3:
            new = mxfp4(new)[0]
        values.copy_(new.bfloat16())
        values.requires_grad_(False)
    for name, values in sorted(model.named_buffers()):
        if name.endswith(("e_score_correction_bias", "expert_bias")):
            values.copy_((0.2 * torch.randn(values.shape)).bfloat16())
        if name.endswith("layer_scalar"):
            values.copy_((values + 0.2 * torch.randn(values.shape)).bfloat16())
    return model


# Matrices that are no layers: routers, what makes blocks' own embeddings of the model's, and what steers a recurrence.
STEERING = r"\.(gate|shared_expert_gate|router\.layer|router\.proj|router|per_layer_model_projection|in_proj_(a|b|ba))\.weight$"


class Layer:
    """What goes through a matrix, or a stack of them."""

    def __init__(self, count, rows, columns):
        self.rows = rows
        self.inputs, self.outputs, self.trace = np.zeros(columns), np.zeros(count * rows), 0.0
        self.squares, self.uses = np.zeros((count, columns)), np.zeros(count)
        self.products, self.sent = np.zeros(count), np.zeros(count)

    def add(self, index, x, g):
        x2, g2 = x.numpy() ** 2, g.numpy() ** 2
        self.inputs += (g2.sum(1, keepdims=True) * x2).sum(0)
        self.outputs[index * self.rows:(index + 1) * self.rows] += (x2.sum(1, keepdims=True) * g2).sum(0)
        self.trace += float((x2.sum(1) * g2.sum(1)).sum())

    def add_lookups(self, tokens, g):
        g2 = g.numpy() ** 2
        self.inputs += g2.sum(0)
        np.add.at(self.outputs, tokens.numpy(), g2.sum(1))
        self.trace += float(g2.sum())

    def weigh(self, index, outputs, choices):
        """Adds what an expert's outputs count for, whose rows are in the order in which it reads its tokens."""
        chosen, weights = choices
        tokens = torch.nn.functional.one_hot(chosen, self.products.size).permute(2, 1, 0)[index]
        places, rows = torch.where(tokens)
        self.products[index] += float((weights.detach()[rows, places] * outputs.norm(dim=-1)).sum())
        self.sent[index] += len(rows)

    def count(self, index, x):
        self.squares[index] += (x.numpy() ** 2).sum(0)
        self.uses[index] += len(x)


def is_matrix(name, value):
    return value.dim() in (2, 3) and not name.endswith("_bias")


class Products:
    """Sees every product of a model with one of its matrices, while it is a context."""

    def __init__(self, model):
        self.model = model
        self.parameters = [
            (value.data_ptr(), value, name.removesuffix(".weight")) for name, value in model.named_parameters()
            if is_matrix(name, value) and not re.search(STEERING, name)]
        self.seen, self.lookups = [], []

    def place(self, weight):
        """The name of the parameter that a matrix is, or is an expert of, and the expert's number."""
        for start, value, name in self.parameters:
            offset = (weight.data_ptr() - start) // value.element_size()
            if 0 <= offset < value.numel():
                return name, offset // (value.shape[-1] * value.shape[-2])
        return None

    def __enter__(self):
        def choosing(name):
            return lambda _, arguments: self.choices.__setitem__(name, arguments[1:3])

        self.choices = {}
        self.hooks = [
            module.register_forward_pre_hook(choosing(name)) for name, module in self.model.named_modules()
            if name.endswith(".experts")]
        functional = torch.nn.functional
        self.originals = functional.linear, functional.embedding, torch.Tensor.__matmul__
        linear, embedding, product = self.originals

        def seeing_linear(x, weight, bias=None):
            output = linear(x, weight, bias)
            place = self.place(weight)
            if place:
                self.seen.append((*place, x, output))
            return output

        def seeing_embedding(tokens, weight, *arguments, **options):
            output = embedding(tokens, weight, *arguments, **options).requires_grad_(True)
            self.lookups.append((self.place(weight)[0], output))
            return output

        def seeing_product(x, matrix):
            output = product(x, matrix)
            place = self.place(matrix)
            if place:
                self.seen.append((*place, x, output))
            return output

        functional.linear, functional.embedding = seeing_linear, seeing_embedding
        torch.Tensor.__matmul__ = seeing_product
        return self

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()
        torch.nn.functional.linear, torch.nn.functional.embedding, torch.Tensor.__matmul__ = self.originals


def text_prefix(names):
    """What precedes the text model's names."""
    return next(name for name in names if name.endswith("embed_tokens.weight")).removesuffix("embed_tokens.weight")


def layers_of(model, stored):
    """A Layer for every matrix of the text model, by the stored tensors' names; of gates and ups of experts, which are one
    tensor in memory, two where they are stored apart."""
    parameters = {name: value for name, value in model.named_parameters() if is_matrix(name, value)}
    prefix, stored_prefix = text_prefix(parameters), text_prefix(stored)
    heads = [name.removesuffix(".weight") for name in stored if name.endswith("lm_head.weight")]
    fuses = any(name.endswith("input_linear.weight") for name in stored)
    is_transposed = any(name.endswith("experts.gate_up_proj_bias") for name in stored)
    parts = EXPERT_NAMES[
        "liquid" if any(".feed_forward." in name for name in stored)
        else "mixtral" if any(".w1.weight" in name for name in stored) else "granite" if fuses
        else "gpt_oss" if is_transposed else "others"]
    result = {}
    for name, value in parameters.items():
        name = name.removesuffix(".weight")
        count, rows, columns = (1, *value.shape)[-3:]
        if is_transposed and value.dim() == 3:
            rows, columns = columns, rows
        if not name.startswith(prefix):
            public = heads if name == "lm_head" else []
        else:
            public = [name.replace(prefix, stored_prefix, 1)]
            expert = re.fullmatch(r"(.*)\.(?:mlp|block_sparse_moe|feed_forward)\.experts\.(\w+)", public[0])
            if expert:
                public = [f"{expert[1]}.{part}" for part in parts[expert[2]]]
        result[name] = {one: Layer(count, rows // len(public), columns) for one in public}
    return result


def fisher(model, rows, stored):
    """Every layer's sums, and by how much the closest label won."""
    layers = layers_of(model, stored)
    closest, position = math.inf, 0
    for number, tokens in enumerate(rows):
        with Products(model) as products:
            logits = model(tokens[None], use_cache=False).logits[0]
        chosen, margin = labels(logits.detach(), position)
        closest = min(closest, margin)
        loss = -torch.log_softmax(logits, -1)[range(len(chosen)), chosen].sum()
        gradients = torch.autograd.grad(loss, [seen[-1] for seen in products.seen + products.lookups])
        for (name, expert, x, output), gradient in zip(products.seen, gradients):
            choices = products.choices.get(name.rpartition(".")[0])
            if choices and name.endswith(".down_proj"):
                # gpt-oss adds a bias after the product.
                bias = dict(model.named_parameters()).get(f"{name}_bias")
                outputs = output.detach() + (0 if bias is None else bias[expert].detach())
                next(iter(layers[name].values())).weigh(expert, outputs, choices)
            x, gradient = (values.detach().flatten(0, -2) for values in (x, gradient))
            parts = layers[name]
            if name.endswith("experts.gate_up_proj") and len(parts) == 1 and "gpt_oss" in model.config.model_type:
                # Vise's layer has all gates first.
                gradient = torch.cat([gradient[:, ::2], gradient[:, 1::2]], -1)
            for layer, part in zip(parts.values(), gradient.chunk(len(parts), -1)):
                layer.add(expert, x, part)
                if number == 0:
                    layer.count(expert, x)
        for (name, _), gradient in zip(products.lookups, gradients[len(products.seen):]):
            next(iter(layers[name].values())).add_lookups(tokens, gradient[0])
        position += len(tokens)
    result = {}
    for name, layer in [item for parts in layers.values() for item in parts.items()]:
        if layer.trace > 0:
            for key in ("inputs", "outputs", "trace"):
                result[f"fisher.{name}.{key}"] = torch.tensor(getattr(layer, key) / position, dtype=torch.float32)
            result[f"squares.{name}"] = torch.tensor(layer.squares, dtype=torch.float32)
            result[f"uses.{name}"] = torch.tensor(layer.uses, dtype=torch.float32)
            if layer.sent.sum() > 0:
                result[f"saliency.{name}"] = torch.tensor(layer.products / np.maximum(layer.sent, 1), dtype=torch.float32)
    return result, closest


@torch.no_grad()
def greedy(model, tokens):
    """The likeliest tokens, and by how much the closest won."""
    chosen, closest = [], math.inf
    for _ in range(GREEDY):
        best = model(torch.cat([tokens, torch.tensor(chosen, dtype=torch.long)])[None], use_cache=False).logits[0, -1].topk(2)
        closest = min(closest, float(best.values[0] - best.values[1]))
        chosen.append(int(best.indices[0]))
    return torch.tensor(chosen), closest


def make(name, family, directory):
    for seed in range(20):
        model = model_of(family, seed)
        rows = [torch.randint(2, VOCABULARY, (length,)) for length in ROWS]
        with torch.no_grad():
            oracle = {f"logits.{i}": model(row[None], use_cache=False).logits[0].contiguous() for i, row in enumerate(rows)}
        oracle["greedy"], margin = greedy(model, rows[1])
        if margin < MARGIN:
            continue
        # Of a copy: RoPE's frequencies would be rounded with the weights, which are BF16 already.
        copy.deepcopy(model).bfloat16().save_pretrained(directory)
        with safe_open(directory / "model.safetensors", "pt") as file:
            stored = set(file.keys())
        sums, label_margin = fisher(model.double(), rows, stored)
        if label_margin >= MARGIN:
            break
    else:
        raise SystemExit(f"{name}: no seed chooses tokens clearly")
    oracle |= {f"tokens.{i}": row for i, row in enumerate(rows)} | sums
    if family.stores_mxfp4:
        store_mxfp4(directory)
    tokenizer().save_pretrained(directory)
    save_file({key: value.float().flatten() for key, value in oracle.items()}, directory / "oracle.safetensors")
    largest = max(float(oracle[f"logits.{i}"].abs().max()) for i in range(len(rows)))
    return f"seed {seed}, logits to {largest:.1f}, {len(sums) // 5} layers"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    # Models this small gain nothing by threads, and sums of one thread are the same everywhere.
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    listing = out / "families.json"
    if out.exists() and any(out.iterdir()) and not listing.exists():
        raise SystemExit(f"{out} holds other things than what this script makes, which it might overwrite")
    out.mkdir(parents=True, exist_ok=True)
    listing.write_text(json.dumps(sorted(FAMILIES)), encoding="utf-8")
    for name, family in FAMILIES.items():
        print(f"{name:16} {make(name, family, out / name)}", flush=True)


if __name__ == "__main__":
    main()
