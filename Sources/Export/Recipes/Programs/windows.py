"""Windows of tokens that the programs read: those that Vise packed, or those of a text."""

import json
from pathlib import Path


def read_windows(path, tokenizer=None, count=None, length=512):
    """Lists of token ids, all equally long.

    A .json file holds the windows themselves, as Vise packs them; anything else is a text in UTF-8, which `tokenizer`
    cuts into its first `count` windows of `length` tokens.
    """
    if Path(path).suffix == ".json":
        windows = json.loads(Path(path).read_text(encoding="utf-8"))["windows"]
        if not windows or len({len(window) for window in windows}) != 1:
            raise SystemExit(f"{path}: has no windows of equal length; pack it again with Vise")
        return windows
    tokens = tokenizer()(Path(path).read_text(encoding="utf-8"))["input_ids"]
    windows = [tokens[start : start + length] for start in range(0, len(tokens) - length + 1, length)][:count]
    if not windows:
        raise SystemExit(f"{path}: has {len(tokens)} tokens, fewer than one window of {length}")
    return windows


def tell(step, done, total, unit):
    """One line that Vise reads progress from."""
    print(f"vise: {step} {done}/{total} {unit}", flush=True)


def write_whole(path, text):
    """Writes a file that is complete at any time, or as it was before."""
    partial = Path(f"{path}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
