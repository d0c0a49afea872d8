#!/usr/bin/env python3
"""Renders chat templates with Jinja2, set as transformers sets it, for the template interpreter's tests.

usage: record_templates.py                 renders Tests/TokenizationTests/Fixtures/templates/*.jinja, and each line of
                                           lines.txt there as a template of its own, into templates.json
       record_templates.py FOLDER          renders FOLDER/*.jinja into FOLDER/renderings.json

A rendering is the text, or null where Jinja2 raises. Needs requirements.txt (jinja2).
"""

import json
import sys
from datetime import datetime
from pathlib import Path

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

FIXTURES = Path(__file__).parent.parent / "TokenizationTests" / "Fixtures"
DATE = datetime(2026, 2, 3, 4, 5, 6)
TOKENS = {"bos_token": "<|bos|>", "eos_token": "<|eos|>", "unk_token": "<|unk|>",
          "pad_token": "<|pad|>"}


class Generation(jinja2.ext.Extension):
    """Lets the body of a generation block through."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_body")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


class Namespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attributes = dict(*args, **kwargs)
        for name in attributes:
            Namespace.check(name)
        jinja2.utils.Namespace.__init__(self, attributes)

    def __setitem__(self, name, value):
        Namespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def fail(message):
    raise jinja2.exceptions.TemplateError(message)


def environment():
    found = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    found.filters["tojson"] = to_json
    found.globals["raise_exception"] = fail
    found.globals["strftime_now"] = DATE.strftime
    found.globals["namespace"] = Namespace
    return found


def message(role, content):
    return {"role": role, "content": content}


USER = message("user", " What's a prime? \n")
ANSWER = message("assistant", "A number with two divisors. ")
CONVERSATIONS = [
    [USER],
    [USER, ANSWER, message("user", "Name one: é, 素数, 🙂\n\n")],
    [USER, ANSWER, message("user", "Another"), message("assistant", "5")],
    [message("system", "Be <brief> & \"kind\"."), USER],
    [message("system", "Be brief."), USER, ANSWER, message("user", "")],
    [USER, message("assistant", "<think>\nTwo, three.\n</think>\n\nSeven."), message("user", "Why?")],
    [ANSWER],
    [USER, USER],
    [],
]


def cases():
    for messages in CONVERSATIONS:
        for prompts in (True, False):
            for thinks in (None, True, False):
                yield {"messages": messages, "prompts": prompts, "thinks": thinks}


def compiled(source):
    """The template, or None where Jinja2 cannot read it."""
    try:
        return environment().from_string(source)
    except (jinja2.exceptions.TemplateSyntaxError, SyntaxError):
        return None


def render(template, case):
    variables = {} if case["thinks"] is None else {"enable_thinking": case["thinks"]}
    if template is None:
        return None
    try:
        return template.render(
            messages=case["messages"], tools=None, documents=None,
            add_generation_prompt=case["prompts"], **TOKENS, **variables)
    except Exception:
        return None


def record(folder):
    all_cases = list(cases())
    templates = {}
    for path in sorted(folder.glob("*.jinja")):
        # Line breaks stay as they are.
        template = compiled(path.read_bytes().decode("utf-8"))
        templates[path.name] = [render(template, case) for case in all_cases]
    found = {"jinja2": jinja2.__version__, "tokens": TOKENS, "cases": all_cases,
             "renderings": templates}
    if (folder / "lines.txt").exists():
        lines = (folder / "lines.txt").read_text(encoding="utf-8").splitlines()
        case = {"messages": CONVERSATIONS[1], "prompts": True, "thinks": None}
        found["case"] = case
        found["lines"] = [{"line": line, "text": render(compiled(line), case)} for line in lines]
    return found


def record_folder(folder, target=None):
    text = json.dumps(record(folder), ensure_ascii=False, indent=1)
    (target or folder / "renderings.json").write_text(text + "\n", encoding="utf-8")


def main():
    if len(sys.argv) > 1:
        record_folder(Path(sys.argv[1]))
    else:
        record_folder(FIXTURES / "templates", FIXTURES / "templates.json")


if __name__ == "__main__":
    main()
