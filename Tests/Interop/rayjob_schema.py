#!/usr/bin/env python3
"""Holds the manifest of a job against the schema of KubeRay's RayJob.

usage: rayjob_schema.py --binary VISE --model DIRECTORY --crd FILE

FILE is `ray-operator/config/crd/bases/ray.io_rayjobs.yaml` of KubeRay's repository (Apache-2.0; 1 MB, and so not kept here).
Every field must be one that the schema knows, and of its type; the ConfigMap must hold the programs as they are.
"""

import argparse
import tempfile
from pathlib import Path

import jsonschema
import yaml

from interop import Checks, Vise, uniform


def unknown(value, schema, path=""):
    """Fields that a schema does not name, and so would be dropped."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            if name in known:
                yield from unknown(inner, known[name], f"{path}.{name}")
            elif isinstance(others, dict):
                yield from unknown(inner, others, f"{path}.{name}")
            elif others is not True:
                yield f"{path}.{name}"
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from unknown(inner, schema.get("items", {}), f"{path}[{number}]")


def flaws(job, schema):
    validator = jsonschema.Draft7Validator(schema)
    wrong = [f"{'.'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(job)]
    # What every object has is said by no CRD.
    inside = {name: value for name, value in job.items() if name not in ("apiVersion", "kind", "metadata")}
    return wrong + list(unknown(inside, schema))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model", "--crd"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    crd = yaml.safe_load(Path(options.crd).read_text(encoding="utf-8"))
    schema = next(v for v in crd["spec"]["versions"] if v["name"] == "v1")["schema"]["openAPIV3Schema"]
    vise, checks = Vise(options.binary), Checks()
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.yaml"
        plan.write_text(uniform("bits: 4, group: 64"), encoding="utf-8")
        recipe = Path(vise.export(options.model, plan, "vllm", f"{folder}/recipe", "--format", "recipe"))
        for name, more in (("one node", ()), ("GPUs of several nodes", ("--gpus", 2, "--nodes", 3, "--serve"))):
            text = vise("submit", options.model, "--plan", plan, "--format", "rayjob", "--image", "registry/image:1",
                        "--cluster-model", "org/model", *more)
            files, job = yaml.safe_load_all(text)
            found = flaws(job, schema)
            checks(f"RayJob, {name}, is what the schema says", not found, "; ".join(found[:3]))
            programs = {path.name: path.read_text(encoding="utf-8") for path in recipe.iterdir() if path.name != "plan.yaml"}
            different = [name for name in programs if files["data"].get(name) != programs[name]]
            checks(f"RayJob, {name}, holds the recipe's files as they are", not different and files["kind"] == "ConfigMap",
                   ", ".join(different))
        job["spec"]["entryPoint"] = job["spec"].pop("entrypoint")
        job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"] = "one"
        checks("a misspelled field and a wrong type are found", len(flaws(job, schema)) == 2)
    checks.end()


if __name__ == "__main__":
    main()
