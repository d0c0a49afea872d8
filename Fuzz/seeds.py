#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: small files that are valid, into the folder that is given."""
import json, os, struct, sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
OUT = sys.argv[1]
NAMES = {"model.embed_tokens.weight": [300, 4], "model.norm.weight": [4]} | {
    f"model.layers.0.{name}.weight": shape for name, shape in {
        "input_layernorm": [4], "post_attention_layernorm": [4], "self_attn.q_proj": [4, 4], "self_attn.k_proj": [2, 4],
        "self_attn.v_proj": [2, 4], "self_attn.o_proj": [4, 4], "mlp.gate_proj": [8, 4], "mlp.up_proj": [8, 4],
        "mlp.down_proj": [4, 8]}.items()}
CONFIG = {"model_type": "llama", "hidden_size": 4, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
          "num_key_value_heads": 1, "vocab_size": 300, "rms_norm_eps": 1e-5, "max_position_embeddings": 16, "tie_word_embeddings": True,
          "torch_dtype": "float16"}


def seed(target, name, data):
    os.makedirs(f"{OUT}/{target}", exist_ok=True)
    with open(f"{OUT}/{target}/{name}", "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def source(path):
    with open(os.path.join(ROOT, path), "rb") as file:
        return file.read()


def product(shape):
    result = 1
    for size in shape: result *= size
    return result


def safetensors(tensors, metadata=None):
    header, body = {}, b""
    if metadata: header["__metadata__"] = metadata
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def text(value):
    value = value.encode()
    return struct.pack("<Q", len(value)) + value


def gguf(fields, tensors):
    """Fields as (key, type, packed value); tensors as (name, shape with the row's length first, type, bytes)."""
    out, body = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields)), b""
    for key, kind, value in fields: out += text(key) + struct.pack("<I", kind) + value
    for name, shape, kind, data in tensors:
        out += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", s) for s in shape) + struct.pack("<IQ", kind, len(body))
        body += data + bytes(-len(data) % 32)
    return out + bytes(-len(out) % 32) + body


def u32(value): return 4, struct.pack("<I", value)
def strings(values): return 9, struct.pack("<IQ", 8, len(values)) + b"".join(text(v) for v in values)
def numbers(code, kind, values): return 9, struct.pack("<IQ", kind, len(values)) + struct.pack(f"<{len(values)}{code}", *values)


# Checkpoints
half = {name: ("F16", shape, bytes(2 * product(shape))) for name, shape in NAMES.items()}
few = {name: value for name, value in half.items() if "embed" not in name}
seed("safetensors", "whole", safetensors(half))
seed("safetensors", "few", safetensors(few, {"format": "pt"}))
seed("safetensors", "types", safetensors({
    f"layer.{i}.weight": (dtype, [2, 4], bytes(8 * width)) for i, (dtype, width) in
    enumerate([("F32", 4), ("BF16", 2), ("I8", 1), ("U8", 1), ("F8_E4M3", 1), ("I64", 8), ("BOOL", 1)])}))
seed("safetensors", "packed", safetensors({
    "model.layers.0.mlp.up_proj.weight_packed": ("I32", [8, 1], bytes(32)),
    "model.layers.0.mlp.up_proj.weight_scale": ("F16", [8, 1], bytes(16)),
    "model.layers.0.mlp.up_proj.weight_shape": ("I64", [2], struct.pack("<qq", 8, 4))}))
names = list(NAMES)
seed("index", "whole", json.dumps({"metadata": {"total_size": 1}, "weight_map": {
    name: f"model-0000{1 if i < 5 else 2}-of-00002.safetensors" for i, name in enumerate(names)}}))
seed("config", "llama", json.dumps(CONFIG))
for kind in ["qwen3", "gemma3_text", "mixtral", "phi3", "glm4", "granite", "olmoe"]:
    seed("config", kind, json.dumps(CONFIG | {
        "model_type": kind, "num_local_experts": 2, "num_experts": 2, "num_experts_per_tok": 1, "head_dim": 2, "sliding_window": 8,
        "layer_types": ["full_attention"], "moe_intermediate_size": 8, "query_pre_attn_scalar": 2, "partial_rotary_factor": 0.5,
        "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0, "original_max_position_embeddings": 8},
        "embedding_multiplier": 1.0, "attention_multiplier": 1.0, "residual_multiplier": 1.0, "logits_scaling": 1.0}))
seed("config", "llama3", json.dumps(CONFIG | {"rope_scaling": {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8}}))
for method, more in {
        "compressed-tensors": {"format": "pack-quantized", "version": "0.19.0", "ignore": ["lm_head", "re:.*norm"], "config_groups": {
            "group_0": {"targets": ["re:.*mlp.*", "Linear"], "weights": {
                "num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 16}}}},
        "gptq": {"bits": 4, "group_size": 16, "desc_act": False, "sym": True}, "awq": {"bits": 4, "group_size": 16, "zero_point": True},
        "fp8": {"weight_block_size": [128, 128]}, "mxfp4": {}, "bitsandbytes": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}}.items():
    seed("config", method, json.dumps(CONFIG | {"quantization_config": {"quant_method": method} | more}))
seed("config", "mlx", json.dumps(CONFIG | {"quantization": {"bits": 4, "group_size": 64, "mode": "affine"}}))

model = [("general.architecture", 8, text("llama")), ("llama.embedding_length", *u32(4)), ("llama.feed_forward_length", *u32(8)),
         ("llama.block_count", *u32(1)), ("llama.attention.head_count", *u32(2)), ("llama.attention.head_count_kv", *u32(1)),
         ("llama.context_length", *u32(16)), ("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5))]
short = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
         "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def short_name(name):
    body = name.removesuffix(".weight")
    return (short[body] if body in short else "blk.0." + short[body.removeprefix("model.layers.0.")]) + ".weight"


words = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + ["▁", "a", "b", "▁a", "ab", "he", "l", "o"]
vectors = [(short_name(name), (shape if "embed" not in name else [len(words), 4])[::-1], 0,
            bytes(4 * product(shape if "embed" not in name else [len(words), 4]))) for name, shape in NAMES.items()]
seed("gguf", "plain", gguf(model, [(n, [4, 3] if "embd" in n else s, k, bytes(48) if "embd" in n else d) for n, s, k, d in vectors]))
seed("gguf", "sentencepiece", gguf(model + [
    ("tokenizer.ggml.model", 8, text("llama")), ("tokenizer.ggml.tokens", *strings(words)),
    ("tokenizer.ggml.scores", *numbers("f", 6, [-float(i) for i in range(len(words))])),
    ("tokenizer.ggml.token_type", *numbers("i", 5, [2, 3, 3] + [6] * 256 + [1] * 8)),
    ("tokenizer.chat_template", 8, text("{% for m in messages %}{{ m.content }}{% endfor %}"))], vectors))
alphabet = [chr(c) for c in [*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324)]]
few_words = alphabet[:60] + ["he", "Ġ", "Ġa", "ab", "<|im_start|>"]
seed("gguf", "bytes", gguf(model + [
    ("tokenizer.ggml.model", 8, text("gpt2")), ("tokenizer.ggml.pre", 8, text("llama-bpe")), ("tokenizer.ggml.tokens", *strings(few_words)),
    ("tokenizer.ggml.token_type", *numbers("i", 5, [1] * 64 + [3])), ("tokenizer.ggml.merges", *strings(["h e", "Ġ a", "a b"])),
    ("tokenizer.ggml.bos_token_id", *u32(64)), ("tokenizer.ggml.add_bos_token", 7, b"\1")],
    [(n, [4, len(few_words)] if "embd" in n else s, k, bytes(16 * len(few_words)) if "embd" in n else d) for n, s, k, d in vectors]))
seed("gguf", "types", gguf(model, [(f"t.{kind}", [256, 1], kind, bytes(size)) for kind, size in
                                   [(2, 144), (3, 160), (6, 176), (8, 272), (10, 84), (12, 144), (14, 210), (30, 512), (39, 136)]]))

# Tokenizers
base = {"version": "1.0", "added_tokens": [{"id": 0, "content": "<|a|>", "special": True}, {"id": 1, "content": "<x>", "special": False, "lstrip": True, "rstrip": True, "single_word": True}],
        "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}, "post_processor": None,
        "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"<|a|>": 0, "<x>": 1} | {c: i + 2 for i, c in enumerate(alphabet[:60])} | {"he": 62, "ab": 63},
                                                   "merges": [["h", "e"], "a b"]}}
seed("tokenizer", "bytes", json.dumps(base))
split = {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"}, "behavior": "Isolated", "invert": False},
    {"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]}
seed("tokenizer", "split", json.dumps(base | {"pre_tokenizer": split, "normalizer": {"type": "NFC"}, "post_processor": {
    "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|a|>"}}, {"Sequence": {"id": "A"}}]}}))
pieces = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"<0x{b:02X}>": b + 3 for b in range(0, 256, 16)} | {"▁": 290, "a": 291, "▁a": 292}
seed("tokenizer", "sentencepiece", json.dumps(base | {
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "pre_tokenizer": None, "added_tokens": [], "model": {"type": "BPE", "vocab": pieces, "merges": ["▁ a"], "byte_fallback": True, "unk_token": "<unk>", "fuse_unk": True}}))
seed("tokenizer", "unigram", json.dumps(base | {
    "normalizer": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}, "added_tokens": [],
    "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["▁", -1.5], ["a", -2], ["▁a", -3], ["he", -4.5]], "byte_fallback": False}}))

# Templates, patterns, plans
for line in source("Tests/TokenizationTests/Fixtures/templates/lines.txt").decode().split("\n"):
    if line.strip(): seed("template", f"line-{abs(hash(line)) % 10**8:08}", line)
for name in ["breaks", "chat", "loops", "macros", "sets", "whitespace"]:
    seed("template", name, source(f"Tests/TokenizationTests/Fixtures/templates/{name}.jinja"))
for i, pattern in enumerate([
        r"(?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+", r"(?:a|ab|b)*c", r"(?>a+)b|\b\w+\B",
        r"(?=(\d{3})+(?!\d))", r"[\p{Han}&&[^一]]+|(?<=a)b|^x$|\Ay\z", r"\p{^L}|[^a-z[0-9]]{2,4}?", "(a+)+$"]):
    seed("pattern", str(i), pattern + "\nIt's 1234 ab abab 漢字 aaaaaaaaac")
for i, pattern in enumerate([r"re:.*\.(q|k|v)_proj$", "model.layers.[0-9]*.mlp.*", "(?=.*x)a|b{2,3}?", r"(?i)\w+\.\d+\b[^a-c]", "(?P<n>a)(?!b)", "*a*b?[!x]"]):
    seed("names", str(i), pattern + "\nmodel.layers.12.mlp.up_proj")
for name in ["balanced", "two-bit"]: seed("plan", name, source(f"Samples/plans/{name}.yaml"))
seed("plan", "structure", "vise: 1\nmodel: m\nstructure:\n  blocks: [1, 3-5]\n  neurons:\n    0: [0-7, 9]\n  heads:\n    2: [1]\nrules:\n  - layers: [\"re:.*\", x]\n    bits: 4\n    group: channel\n    symmetric: false\n    range: mse\n    method: gptq\n    sparsity: 2:4 magnitude\n")
seed("plan", "types", "vise: 1\nrules:\n  - layers: '*'\n    type: Q4_K\n  - layers: a\n    keep: true\n  - {layers: b, type: FP8, sparsity: 50% wanda}\n")

# What the program reads for itself
for name in sorted(os.listdir(os.path.join(ROOT, "Themes"))): seed("theme", name, source(f"Themes/{name}"))
for name in sorted(os.listdir(os.path.join(ROOT, "Machines"))): seed("machine", name, source(f"Machines/{name}"))
seed("machine", "all", "name: m\nkind: board\nmemory: 8 GiB\nreserved: 1GB\nbandwidth: 34 GB/s\narithmetic: 1.5 TFLOP/s\nreached: {bandwidth: 0.7, arithmetic: 0.3, cache: 0.5}\nblock: 20 us\nwatts: 15\nprice: 0.1\nsources: [measured here]\n")
seed("keys", "some", "keys:\n  undo: [u, ctrl-z]\n  bits 4: F9\n  quit: [Z Z, alt-q]\n")
counts = [("a.in_sum2", [4], 0, struct.pack("<4f", 1, 2, 3, 4)), ("a.counts", [1], 0, struct.pack("<f", 3))]
seed("imatrix", "one", gguf([("general.type", 8, text("imatrix")), ("imatrix.datasets", *strings(["a.txt"])),
                             ("imatrix.chunk_count", *u32(1)), ("imatrix.chunk_size", *u32(16))], counts))
origin = {"fingerprint": "f", "gradientTokens": 8, "model": "m", "text": "t", "trialTokens": 8, "version": "0.1.0"}
scheme = {"quantization": {"bits": 4, "group": "16", "isSymmetric": True, "method": "gptq", "range": "weighted"}}
layer = {"energy": 1.5, "lookupShare": 0.5, "name": "a", "originalBytes": 64, "role": "up_proj", "tokens": 8, "trace": 2.0,
         "trials": [{"bytes": 16, "divergence": 0.01, "scheme": 0, "standardError": 0.001}]}
contents = {"layers": [layer], "measurements": [{"layers": [0], "schemes": [0], "divergence": 0.1, "standardError": 0.01, "text": "t", "tokens": 8}],
            "origin": origin, "schemes": [scheme]}
vectors = {"a.inputs": ("F32", [4], struct.pack("<4f", 1, 2, 3, 4)), "a.outputs": ("F32", [2], struct.pack("<2f", 1, 2))}
seed("sensitivity", "one", safetensors(vectors, {"format": "vise-sensitivity", "version": "2", "contents": json.dumps(contents)}))
seed("snapshots", "one", json.dumps({"vise": 1, "model": "m", "fingerprint": "f", "snapshots": [
    {"name": "a", "plan": "vise: 1\nrules: []\n", "schemes": {"l": scheme}, "bytes": 5, "bitsPerWeight": 4.5,
     "measured": {"text": "t", "result": {"tokens": 1, "windows": 1, "referencePPL": {"value": 3.5, "standardError": 0.5}}}}]}))
for i, keys in enumerate([b"abc\x1b[A\x1bOP\x1b[15~\x1b[1;5C", b"\x1b[<0;10;20M\x1b[<0;10;20m\x1b[<64;1;1M\x1b[M !!", b"\x1b[200~pasted \x1b[31m text\x1b[201~q",
                          "é漢🙂".encode() + b"\xff\xc3\x1b\x1b[A\x9b1~", b"\x1b]0;title\x07\x1bP1$r\x1b\\\x1b[27;5;9~\x1b[97;5u", b"\x7f\x08\x01\x1a\r\n\t\x1ba"]):
    seed("input", str(i), keys)
stream = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: {"choices":[{"finish_reason":"stop","delta":{}}],"usage":{"completion_tokens":2}}\n\ndata: [DONE]\n\n'
seed("events", "stream", b"\0" + stream.encode())
seed("events", "breaks", b"\0" + b": comment\r\nevent: x\r\ndata: {\"choices\":[{\"text\":\"a\x1b[2J\"}]}\r\n\r\n")
seed("events", "error", b'\1{"error": {"message": "out of \\u001b[2J memory", "code": 500}}')
seed("events", "refused", b'\2{"detail": [{"msg": "no such model"}]}')
