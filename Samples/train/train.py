#!/usr/bin/env python3
"""Trains the sample model on a CPU and writes it as a Hugging Face directory.

    train.py --texts FOLDER --out MODEL --minutes 50

FOLDER is what prepare_text.py wrote. The learning rate follows the clock, not a count of steps, so
the schedule ends when the minutes do, on any machine. The checkpoint with the lowest perplexity on
validation.txt is the one that stays in MODEL.
"""

import argparse
import json
import math
import pathlib
import time
from collections.abc import Iterator

import tokenizers
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import decoders, models, pre_tokenizers, trainers
from torch import Tensor

from model import LanguageModel, Shape
from prepare_text import END_OF_TEXT

STEP_TOKENS = 4096
SHORT_WINDOWS = 0.7  # part of the time with windows of half the context, which are quicker
CHECK_EVERY = 150  # steps
WARM_UP = 0.02  # part of the time
FINAL_RATE = 0.02  # part of the highest learning rate that is left at the end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    shape = Shape()
    text = (options.texts / "train.txt").read_text(encoding="utf-8")
    tokenizer = train_tokenizer(text, shape)
    ids = encode(tokenizer, text)
    held_out = encode(tokenizer, (options.texts / "validation.txt").read_text(encoding="utf-8"))
    model = LanguageModel(shape)
    size = sum(p.numel() for p in model.parameters())
    print(f"{size} parameters, {len(ids)} tokens to train on, {len(held_out)} held out", flush=True)

    write_settings(options.out, tokenizer, shape)
    train(model, ids, held_out, options)


def train_tokenizer(text: str, shape: Shape) -> tokenizers.Tokenizer:
    """Byte-level BPE as GPT-2 has it, with digits one by one; the text's end is token 0."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=shape.vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(text.split(END_OF_TEXT), trainer)
    return tokenizer


def encode(tokenizer: tokenizers.Tokenizer, text: str) -> Tensor:
    return torch.tensor(tokenizer.encode(text, add_special_tokens=False).ids)


def train(
    model: LanguageModel, ids: Tensor, held_out: Tensor, options: argparse.Namespace
) -> None:
    optimizers = make_optimizers(model, options.rate)
    budget, begin = options.minutes * 60, time.monotonic()
    done, best, step, tokens = 0.0, math.inf, 0, 0
    lengths = (model.shape.context // 2, model.shape.context)
    batches = {length: batches_of(ids, length) for length in lengths}
    while done < 1:
        set_rate(optimizers, options.rate * rate_at(done))
        length = lengths[0] if done < SHORT_WINDOWS else lengths[1]
        loss = training_step(model, next(batches[length]), optimizers)
        step, tokens = step + 1, tokens + STEP_TOKENS
        done = (time.monotonic() - begin) / budget
        if step % CHECK_EVERY == 0 or done >= 1:
            perplexity = evaluate(model, held_out)
            print(
                f"{min(done, 1):4.0%}  step {step}  epochs {tokens / len(ids):.2f}"
                f"  loss {loss:.3f}  validation PPL {perplexity:.2f}",
                flush=True,
            )
            if perplexity < best:
                best = perplexity
                write_weights(options.out, model)
    print(f"best validation PPL {best:.2f}")


def make_optimizers(model: LanguageModel, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for the embedding and the norms."""
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    inside = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in inside]
    return [
        torch.optim.Muon(matrices, rate, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def rate_at(done: float) -> float:
    """A short linear warm-up, then half a cosine; as part of the highest rate."""
    if done < WARM_UP:
        return max(done / WARM_UP, 0.01)
    cosine = 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))
    return FINAL_RATE + (1 - FINAL_RATE) * cosine


def set_rate(optimizers: list[torch.optim.Optimizer], rate: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def batches_of(ids: Tensor, length: int) -> Iterator[Tensor]:
    """Batches (windows, length + 1) without end, the windows' phase and order new each epoch."""
    while True:
        phase = int(torch.randint(length, ()))
        starts = torch.arange(phase, len(ids) - length, length)
        starts = starts[torch.randperm(len(starts))]
        size = STEP_TOKENS // length
        for batch in starts[: len(starts) // size * size].view(-1, size).tolist():
            yield torch.stack([ids[start : start + length + 1] for start in batch])


def training_step(
    model: LanguageModel, windows: Tensor, optimizers: list[torch.optim.Optimizer]
) -> float:
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(windows[:, :-1])
    loss = F.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


@torch.no_grad()
def evaluate(model: LanguageModel, ids: Tensor) -> float:
    """Perplexity over windows of the whole context, the second half of each scored."""
    model.eval()
    context = model.shape.context
    total, count = 0.0, 0
    for start in range(0, len(ids) - context + 1, context):
        window = ids[start : start + context]
        logits = model(window[None, :-1])[0, context // 2 - 1 :]
        total += F.cross_entropy(logits, window[context // 2 :], reduction="sum").item()
        count += context - context // 2
    return math.exp(total / count)


def write_settings(out: pathlib.Path, tokenizer: tokenizers.Tokenizer, shape: Shape) -> None:
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    end = tokenizer.token_to_id(END_OF_TEXT)
    write_json(
        out / "config.json",
        {
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": False,
            "attention_dropout": 0.0,
            "bos_token_id": end,
            "dtype": "bfloat16",
            "eos_token_id": end,
            "head_dim": shape.head_size,
            "hidden_act": "silu",
            "hidden_size": shape.hidden,
            "initializer_range": 0.02,
            "intermediate_size": shape.intermediate,
            "max_position_embeddings": shape.context,
            "mlp_bias": False,
            "model_type": "llama",
            "num_attention_heads": shape.heads,
            "num_hidden_layers": shape.blocks,
            "num_key_value_heads": shape.kv_heads,
            "pretraining_tp": 1,
            "rms_norm_eps": shape.norm_epsilon,
            "rope_scaling": None,
            "rope_theta": shape.rope_theta,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "vocab_size": shape.vocabulary,
        },
    )
    write_json(
        out / "tokenizer_config.json",
        {
            "add_bos_token": False,
            "add_prefix_space": False,
            "bos_token": END_OF_TEXT,
            "clean_up_tokenization_spaces": False,
            "eos_token": END_OF_TEXT,
            "model_max_length": shape.context,
            "tokenizer_class": "PreTrainedTokenizerFast",
            "unk_token": END_OF_TEXT,
        },
    )
    write_json(
        out / "generation_config.json",
        {
            "bos_token_id": end,
            "do_sample": True,
            "eos_token_id": end,
            "temperature": 0.8,
            "top_p": 0.95,
        },
    )


def write_json(path: pathlib.Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_weights(out: pathlib.Path, model: LanguageModel) -> None:
    tensors = {name: p.detach().bfloat16().contiguous() for name, p in model.named_parameters()}
    partial = out / "model.safetensors.partial"
    save_file(tensors, partial, metadata={"format": "pt"})
    partial.replace(out / "model.safetensors")


if __name__ == "__main__":
    main()
