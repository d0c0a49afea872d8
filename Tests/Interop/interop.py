"""What the scripts here share: running Vise, the plans that are exported, and one line for each check."""

import json
import subprocess
import sys

# Every way in which compressed-tensors holds a layer, as a rule's fields.
LAYER_RULES = {
    "kept": "keep: true",
    **{f"{bits} bit": f"bits: {bits}, group: 64" for bits in range(2, 9)},
    **{f"{bits} bit with zero points": f"bits: {bits}, group: 32, symmetric: false" for bits in range(2, 9)},
    "4 bit a channel": "bits: 4, group: channel",
    "8 bit a channel with zero points": "bits: 8, group: channel, symmetric: false",
    **{name: f"type: {name}" for name in ("FP8", "FP8_BLOCK", "NVFP4", "MXFP4")},
}
MIXED_LAYERS = """vise: 1
rules:
  - { layers: "re:.*proj", bits: 4, group: 64 }
  - { layers: "*.self_attn.*", bits: 8, group: channel, symmetric: false }
  - { layers: "*.v_proj", type: FP8 }
  - { layers: "*.down_proj", bits: 3, group: 32, range: mse }
  - { layers: "model.layers.1.*", keep: true }
"""
# Block types of rows that are multiples of 32, and of 256.
SMALL_BLOCKS = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL"]
LARGE_BLOCKS = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
MIXED_BLOCKS = """vise: 1
rules:
  - { layers: "*", type: Q5_1, range: mse }
  - { layers: "*embed_tokens", type: Q8_0 }
  - { layers: "*down_proj", type: Q6_K, sparsity: { ratio: 0.3 } }
  - { layers: "*v_proj", type: Q4_K }
  - { layers: "*o_proj", keep: true }
"""


def uniform(rule, layers="re:.*proj"):
    """A plan with the same fields for all these layers; embeddings are not among those of the default."""
    return 'vise: 1\nrules:\n  - { layers: "%s", %s }\n' % (layers, rule)


def layer_plans():
    """Plans that compressed-tensors holds, by name."""
    return {name: uniform(rule) for name, rule in LAYER_RULES.items()} | {"mixed": MIXED_LAYERS}


def block_plans():
    """Plans that GGUF holds, by name, for rows that are multiples of 256."""
    plans = {name: uniform(f"type: {name}", "*") for name in SMALL_BLOCKS + LARGE_BLOCKS}
    return {"kept": "vise: 1\nrules: []\n"} | plans | {"mixed": MIXED_BLOCKS}


class Vise:
    """The binary under test; a run that fails ends the script with what it says."""

    def __init__(self, binary):
        self.binary = binary

    def __call__(self, *arguments):
        run = subprocess.run([self.binary, *map(str, arguments)], capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit(f"vise {' '.join(map(str, arguments))}: {run.stderr}")
        return run.stdout

    def json(self, *arguments):
        return json.loads(self(*arguments, "--json"))

    def export(self, model, plan, target, output, *options):
        self("export", model, "--plan", plan, "--target", target, "--output", output, *options)
        return output


class Checks:
    """Counts checks, of which each prints one line."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, holds, detail=""):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {name}{': ' if detail else ''}{detail}", flush=True)
        return holds

    def end(self):
        """Prints the count and ends the script; one that checked nothing has failed."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)
