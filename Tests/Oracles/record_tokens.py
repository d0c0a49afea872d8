#!/usr/bin/env python3
"""Records what the tokenizers and transformers libraries make of many texts.

usage: record_tokens.py [MODELS]      (default: .models; it holds smollm2-hf)

Writes into TokenizationTests/Fixtures:
  gpt2.json, llama3.json   small tokenizers with those pre-tokenizers and added tokens of every kind
  tokens.json              by tokenizer: texts with their ids, control tokens recognised and not
  chat.json                conversations with their ids in SmolLM2's chat template

The texts are drawn by a seeded generator. Needs requirements-record.txt.
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

TESTS = Path(__file__).parent.parent
FIXTURES = TESTS / "TokenizationTests" / "Fixtures"
SAMPLES = TESTS.parent / "Samples"

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

TEXTS = [
    "",
    " ",
    "a",
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog. It wasn't amused; they'd've left, we'll see.",
    "I'm you're he's she'd they've we'll IT'S DON'T can''t 'tis rock'n'roll '",
    "In 2026, 3.14159 and 1,234,567.89 cost $42 or 50% of 0x1F at 12:34:56.",
    "def f(x):\n    if x > 0:\n        return x ** 2  # square\n\treturn None\n\n\nf(3)",
    "for (int i = 0; i < n; i++) { a[i] += b[i] * 0.5f; }\r\n\r\n// end\r\n",
    '{"key": [1, 2, {"nested": null}], "text": "a\\nb"}',
    "<html><body class=\"x\">&nbsp;</body></html>",
    "    leading and trailing    ",
    "a  b   c    d     e\t\tf\n\n\ng \n \n h",
    " \n\n\t \r\n  \n5 \n 5  55",
    "word\u00a0word\u2003word\u3000word\u200bword\u2028line\u2029para\u0085next\u1680x",
    "\x00\x01\x1b[31mred\x1b[0m\x7f\x80\x9f\x1c\x1d\x1e\x1f \x0b\x0c",
    "naïve café Ångström Zürich façade ĳ ﬁ ﬂ ß ẞ İstanbul ıIi",
    "e\u0301 a\u0308\u0323 n\u0303 \u0301 \u0301\u0302x q\u0307\u0323 1\u0301 \u20dd",
    "中文测试:今天天气很好。日本語のテキスト、カタカナ。 한국어 문장입니다. 東京2026年",
    "Привет, мир! Ελληνικά κείμενο. שלום עולם. مرحبا بالعالم. नमस्ते दुनिया। สวัสดีชาวโลก",
    "🙂🚀👍🏽👨‍👩‍👧‍👦🇩🇪❤️ ☃ ✓ emoji🙂in🙂text 🏳️‍🌈 1️⃣",
    "½ ² Ⅷ ① ٣ ५ 〇 ௧ 𝟘𝟙 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𓀀 ₿ € ¥ © ™ … — – ‘quotes’ “double”",
    "math: ∀x∈ℝ ∃y: x² + y² ≤ 1 ⇒ |x| ≤ 1; ∑_{i=0}^{n} i = n(n+1)/2 ± √2",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    " " * 70 + "x" + "\n" * 40 + "=" * 90 + "\t" * 9,
    "http://example.org/path?query=1&b=2#frag user@example.com C:\\dir\\file.txt ~/.cfg",
    "CamelCaseAndsnake_case-and-kebab.ID42x7y 100km 5'8\" 7th 3rd don't1 x's2",
    "'S 'T 'RE 'VE 'M 'LL 'D 'ſ 'ſabc 'ſ's 's't're've'm'll'd ''s '' ' s '\n's",
    "\ufeffBOM \ue000private \U000e0041tag \ufffd\ufffe \U0010ffff",
    "<|im_start|>user\nIgnore this<|im_end|>\n<|im_start|>assistant\n<|endoftext|> <|im_end",
    "<|im_end|><|im_end|> <|IM_END|> <|im_start|><repo_name>x<empty_output><|endoftext|>",
    "<|begin|>x <|left|> \n <|both|>\t y<|right|>  z <|word|> a<|word|> <|word|>_ <|word|>!",
    "<|begin|><|begin2|><|begin|> plain token tokentoken TOKEN \u3000<|left|><|both|>\u3000 .",
]

POOLS = [
    [(0x20, 0x7F)],
    [(0x00, 0x30), (0x41, 0x5B)],
    [(0xA0, 0x250), (0x20, 0x40)],
    [(0x300, 0x370), (0x61, 0x7B)],
    [(0x370, 0x530), (0x20, 0x21)],
    [(0x590, 0x700), (0x900, 0x980), (0x20, 0x21)],
    [(0x2000, 0x2070), (0x61, 0x7B), (0x30, 0x3A)],
    [(0x2070, 0x2800), (0x20, 0x21)],
    [(0x3000, 0x3100), (0x4E00, 0x4F00), (0xFF00, 0xFFEF)],
    [(0x1F300, 0x1FA00), (0x200D, 0x200E), (0xFE0F, 0xFE10), (0x20, 0x21)],
    [(0x1D400, 0x1D800), (0x10300, 0x10350), (0x20, 0x30)],
    [(0x09, 0x0E), (0x20, 0x21), (0x85, 0x86), (0xA0, 0xA1), (0x61, 0x64), (0x31, 0x34)],
]


def random_texts(count):
    generator = random.Random(2026)
    for index in range(count):
        pool = POOLS[index % len(POOLS)]
        ranges = [generator.choice(pool) for _ in range(generator.randint(1, 40))]
        yield "".join(chr(generator.randrange(*bounds)) for bounds in ranges)


def train(pre_tokenizer, ignores_merges):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignores_merges))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<|end|>"], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(TEXTS * 2, trainer)
    tokenizer.add_special_tokens(
        ["<|begin|>", "<|begin2|>", AddedToken("<|left|>", lstrip=True, special=True),
         AddedToken("<|both|>", lstrip=True, rstrip=True, special=True)])
    tokenizer.add_tokens(
        [AddedToken("<|right|>", rstrip=True, normalized=False),
         AddedToken("<|word|>", single_word=True), AddedToken("token", normalized=True),
         AddedToken("n token", normalized=True)])
    return tokenizer


def record(tokenizer, texts):
    rows = []
    for text in texts:
        ids = []
        for plain in (True, False):
            tokenizer.encode_special_tokens = plain
            ids.append(tokenizer.encode(text, add_special_tokens=False).ids)
        tokenizer.encode_special_tokens = False
        decoded = tokenizer.decode(ids[1], skip_special_tokens=True)
        rows.append({"text": text, "plain": ids[0], "special": ids[1], "decoded": decoded})
    return rows


def write(name, value):
    (FIXTURES / name).write_text(json.dumps(value, ensure_ascii=True), encoding="utf-8")


def main():
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else ".models") / "smollm2-hf"
    FIXTURES.mkdir(exist_ok=True)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    split = pre_tokenizers.Split(Regex(LLAMA3), "isolated")
    tokenizers = {
        "gpt2": train(byte_level, False),
        "llama3": train(pre_tokenizers.Sequence([split, bytes_only]), True),
    }
    for name, tokenizer in tokenizers.items():
        tokenizer.save(str(FIXTURES / f"{name}.json"), pretty=False)
    tokenizers["smollm2"] = Tokenizer.from_file(str(directory / "tokenizer.json"))
    for path in sorted(SAMPLES.glob("*/tokenizer.json")):
        tokenizers["sample"] = Tokenizer.from_file(str(path))
    texts = TEXTS + list(random_texts(96))
    write("tokens.json", {name: record(each, texts) for name, each in tokenizers.items()})

    smollm2 = AutoTokenizer.from_pretrained(directory)
    user = lambda text: {"role": "user", "content": text}
    conversations = [
        [user("Hi")],
        [user("What is the capital of France?")],
        [user("\n\n  leading white space\n")],
        [user("")],
        [user("12 + 30 =")],
        [{"role": "system", "content": "Answer in one word."}, user("Sky's colour? 🙂")],
        [user("Count."), {"role": "assistant", "content": "1 2 3"}, user("Go on.")],
    ]
    rows = []
    for messages in conversations:
        ids = smollm2.apply_chat_template(messages, add_generation_prompt=True, tokenize=True)
        rows.append({"messages": messages, "ids": ids["input_ids"]})
    write("chat.json", rows)


if __name__ == "__main__":
    main()
