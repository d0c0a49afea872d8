#!/usr/bin/env python3
"""Records how the tokenizers library cuts many texts into words, and what it makes of texts with other models than byte-level BPE.

usage: record_pieces.py

Writes into TokenizationTests/Fixtures:
  pieces.json    the texts, and by name a pre-tokenizer with the pieces of every text, each as its bytes
  models.json    by name a small tokenizer.json: SentencePiece BPE in its kinds of prefix, unigram; with the ids of every text
  normal.json    the texts in Unicode's normal forms

Needs requirements-record.txt.
"""

import json

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

from record_tokens import FIXTURES, LLAMA3, TEXTS, random_texts

CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+{C}"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*{C}"
    r"|\p{N}{D}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

# By name: regular expressions, each isolated by a Split of its own.
PATTERNS = {
    "llama3": [LLAMA3],
    "qwen2": [LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")],
    "qwen35": [
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
        r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ],
    "o200k": [CASED.replace("{C}", CONTRACTIONS).replace("{D}", "{1,3}")],
    "tekken": [CASED.replace("{C}", "").replace("{D}", "")],
    "deepseek-v3": [
        r"\p{N}{1,3}",
        "[一-龥぀-ゟ゠-ヿ]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
        r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ],
    "kimi": [
        r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ],
    "groups of three": [r"\p{N}+", r"(?=(\d{3})+(?!\d))"],
    "digits from the right": [r"\d{1,3}(?=(?:\d{3})*\b)"],
    "possessive": [
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"
        r"|\s*[\r\n]|\s+(?!\S)|\s+"
    ],
    "words of words": [
        r"[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?"
        r"|\s*[\r\n]|\s+(?!\S)|\s+"
    ],
    "lazy and bounded": [r"a{2,3}?|[b-y]+?(?=[aeiou ])|\s{4}|\s{1,2}(?!\S)|(?>ab|a)c|\bx\B"],
    "case and escapes": [r"(?i)straße|k\x{e9}?|\u00e9|[\x41-\x46&&[^C]]+|\P{L}{2}|\p{^L}|[^\W\d_]+$|^\S"],
    "lookbehind": [r"(?<=a)b|(?<!\s)\d|(?<![\p{L}])t"],
    "scripts": [r"\p{Han}+|[\p{Hiragana}\p{Katakana}ー]+|\p{Hangul}{1,2}|\p{Thai}+"],
}

ISOLATED = "isolated"
STEPS = {
    "digits": pre_tokenizers.Digits(individual_digits=True),
    "runs of digits": pre_tokenizers.Digits(individual_digits=False),
    "whitespace": pre_tokenizers.Whitespace(),
    "white space goes": pre_tokenizers.WhitespaceSplit(),
    "bert": pre_tokenizers.BertPreTokenizer(),
    "delimiter": pre_tokenizers.CharDelimiterSplit("e"),
    "metaspace": pre_tokenizers.Metaspace(),
    "metaspace first": pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
    "metaspace of words": pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
    **{
        f"punctuation {behavior}": pre_tokenizers.Punctuation(behavior)
        for behavior in ("isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous")
    },
    **{
        f"text {behavior}": pre_tokenizers.Split("e", behavior)
        for behavior in ("removed", "merged_with_previous", "merged_with_next")
    },
    "inverted": pre_tokenizers.Split(Regex(r"\p{L}+"), "removed", invert=True),
    "inverted contiguous": pre_tokenizers.Split(Regex(r"\p{L}"), "contiguous", invert=True),
}


def pieces(pre_tokenizer, text):
    return [piece for piece, _ in pre_tokenizer.pre_tokenize_str(text)]


def cuts():
    for name, patterns in PATTERNS.items():
        splits = [pre_tokenizers.Split(Regex(pattern), ISOLATED) for pattern in patterns]
        yield name, pre_tokenizers.Sequence(splits)
    yield from STEPS.items()


def section(tokenizer, key):
    return json.loads(tokenizer.to_str())[key]


def spelled(pre_tokenizer):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    return section(tokenizer, "pre_tokenizer")


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
SPECIAL = ["<unk>", "<s>", "</s>"]


def sentence_piece(normalizer, pre_tokenizer, texts, byte_fallback=True, added=()):
    model = models.BPE(byte_fallback=byte_fallback, fuse_unk=True, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    special = SPECIAL + (BYTES if byte_fallback else [])
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=special, show_progress=False, limit_alphabet=150)
    # Words, as SentencePiece's trainer has them: a whole text would be merged into one token.
    words = [text[i:i + 12] for text in texts for i in range(0, len(text), 12)]
    tokenizer.train_from_iterator(words, trainer)
    settings = json.loads(tokenizer.to_str())
    settings["added_tokens"] = [each for each in settings["added_tokens"] if each["content"] in SPECIAL]
    tokenizer = Tokenizer.from_str(json.dumps(settings))
    tokenizer.add_special_tokens(["<turn>", AddedToken("<right>", rstrip=True, special=True)])
    tokenizer.add_tokens([AddedToken("  ", normalized=False), *added])
    return tokenizer


def unigram(normalizer, pre_tokenizer, texts):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def spaces(*before):
    return normalizers.Sequence([*before, normalizers.Replace(" ", "▁")])


def decoder(strips):
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if strips else []))


def tokenizers(texts):
    legacy = sentence_piece(spaces(normalizers.Prepend("▁")), None, texts)
    legacy.decoder = decoder(True)
    legacy.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    yield "prepend", legacy
    plain = sentence_piece(spaces(), None, texts, added=[AddedToken("token", normalized=True)])
    plain.decoder = decoder(False)
    yield "no prefix", plain
    first = sentence_piece(
        None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), texts)
    first.decoder = decoder(True)
    yield "first", first
    lines = sentence_piece(spaces(), pre_tokenizers.Split("\n", "merged_with_previous"), texts)
    lines.decoder = decoder(False)
    yield "lines", lines
    unknown = sentence_piece(spaces(normalizers.NFC()), None, texts, byte_fallback=False)
    unknown.decoder = decoder(False)
    yield "unknown", unknown
    nmt = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Lowercase()])
    likely = unigram(nmt, pre_tokenizers.Metaspace(), texts)
    likely.decoder = decoders.Metaspace()
    yield "unigram", likely
    strip = normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents(), normalizers.Replace(Regex(" {2,}"), " "),
         normalizers.Strip()])
    words = unigram(
        strip,
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
        texts)
    words.decoder = decoders.Metaspace()
    yield "unigram of words", words


def write(name, value):
    (FIXTURES / name).write_text(json.dumps(value, ensure_ascii=True), encoding="utf-8")


def main():
    # tokenizers' tables for punctuation are older than this sign of Unicode 14.
    texts = [text.replace("\u061d", "") for text in TEXTS + list(random_texts(60))]
    write("pieces.json", {
        "texts": texts,
        "cuts": [
            {"name": name, "json": json.dumps(spelled(cut)), "pieces": [pieces(cut, text) for text in texts]}
            for name, cut in cuts()
        ],
    })
    rows = {}
    for name, tokenizer in tokenizers(TEXTS * 2):
        tokenizer.encode_special_tokens = False
        special = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        tokenizer.encode_special_tokens = True
        plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        tokenizer.encode_special_tokens = False
        decoded = [tokenizer.decode(ids, skip_special_tokens=True) for ids in special]
        rows[name] = {"json": tokenizer.to_str(), "plain": plain, "special": special, "decoded": decoded}
    write("models.json", rows)
    forms = [normalizers.NFC(), normalizers.NFD(), normalizers.NFKC(), normalizers.NFKD()]
    write("normal.json", [[form.normalize_str(text) for form in forms] for text in texts])


if __name__ == "__main__":
    main()
