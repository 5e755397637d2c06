#!/usr/bin/python3
"""Reports against the JSON Schema, and every field of them against pyheaptop-json(5): real ones,
and the one of the unit tests, which has every part.

usage: report_schema.py PROGRAM        needs python3-jsonschema
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema

TOP = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((TOP / "lib/view/report.schema.json").read_text())
GOLDEN = json.loads((TOP / "test/golden/report.json").read_text())
MANUAL = (TOP / "man/pyheaptop-json.5").read_text().replace(",", " ").split()


def run(program, *arguments):
    done = subprocess.run([program, "--json", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return json.loads(done.stdout)


def names(value):
    """Every key, at whatever depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)


def problems(report):
    validator = jsonschema.Draft7Validator(SCHEMA)
    for error in validator.iter_errors(report):
        best = jsonschema.exceptions.best_match([error])
        yield f"{'/'.join(map(str, best.path))}: {best.message[:200]}"
    for name in sorted(set(names(report)) - set(MANUAL)):
        yield f"{name}: not in pyheaptop-json(5)"


def judged():
    """Ids of findings, and names of their evidence, as the rules have them."""
    source = "\n".join(path.read_text() for path in sorted((TOP / "lib/model").glob("findings*.c")))
    ids = set(re.findall(r'pht_judge_add\(\s*judge,\s*"([^"]+)"', source))
    evidence = set(re.findall(r'pht_judge_note\w*\(\s*(?:judge, )?finding,\s*"([^"]+)"', source))
    return ids, evidence


def finding_problems():
    ids, evidence = judged()
    findings = SCHEMA["definitions"]["report"]["properties"]["findings"]
    known = set(findings["items"]["properties"]["id"]["enum"])
    sections = (TOP / "man/pyheaptop.1").read_text().split(".Sh ")
    explained = next(text for text in sections if text.startswith("FINDINGS"))
    if len(ids) < 10 or len(evidence) < 40:
        yield f"the rules are not found: {len(ids)} ids, {len(evidence)} figures"
    for name in sorted(ids ^ known):
        yield f"{name}: either no rule has it, or the schema does not"
    for name in sorted(ids):
        if f".It {name}\n" not in explained:
            yield f"{name}: not in pyheaptop(1), FINDINGS"
    for name in sorted((ids | evidence) - set(MANUAL)):
        yield f"{name}: not in pyheaptop-json(5)"


def main():
    program = sys.argv[1]
    target = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        target.stdout.readline()
        other.stdin.write(b"\n")
        other.stdin.flush()
        other.stdout.readline()
        full = run(program, str(target.pid))
        reports = [GOLDEN, full, run(program, "--section=kernel", str(os.getpid())),
                   run(program, "--section=glibc", str(other.pid)),
                   run(program, "--section=maps", str(other.pid)),
                   run(program, "--section=types", str(target.pid)),
                   run(program, "--section=categories", str(target.pid)),
                   run(program, "--family", str(target.pid)), run(program, "0")]
    finally:
        for process in (target, other):
            process.kill()
            process.wait()
    # What must be refused, so that this test can fail.
    arena = GOLDEN["glibc"]["arenas"][0]
    kind, objects = GOLDEN["types"][0], GOLDEN["objects"]
    broken = [{**full, "kernel": None}, {**full, "taken_at": "today"}, {**full, "extra_field": 1},
              {**GOLDEN, "glibc": {**GOLDEN["glibc"], "arenas": [{**arena, "kind": "other"}]}},
              {**GOLDEN, "libc": {**GOLDEN["libc"], "family": None}},
              {**GOLDEN, "types": [{**kind, "address": kind["objects"]}]},
              {**GOLDEN, "types": [{**kind, "module": None}]},
              {**GOLDEN, "types": [{**kind, "objects": 0}]},
              {**GOLDEN, "types": [{k: v for k, v in kind.items() if k != "gc_tracked"}]},
              {**GOLDEN, "objects": {**objects, "interned": None}},
              {**GOLDEN, "objects": {**objects, "chunks": objects["blocks"]}},
              {**GOLDEN, "largest": [{**GOLDEN["largest"][0], "preview": 1}]},
              {**GOLDEN, "unowned": [{**GOLDEN["unowned"][0], "samples": [{"kind": "text"}]}]},
              {**GOLDEN, "objects": {k: v for k, v in objects.items() if k != "torn_pools"}},
              {k: v for k, v in GOLDEN.items() if k != "objects"},
              {**GOLDEN, "findings": [{**GOLDEN["findings"][0], "severity": "HIGH"}]},
              {**GOLDEN, "findings": [{**GOLDEN["findings"][0], "remedy": None}]},
              {**GOLDEN, "findings": [{**GOLDEN["findings"][0], "evidence": {"bytes": [1]}}]},
              {**GOLDEN, "categories": GOLDEN["categories"][1:]},
              {**GOLDEN, "categories": [{**GOLDEN["categories"][0], "id": "python"}] * 12},
              {**GOLDEN, "mappings": [{**GOLDEN["mappings"][0], "perms": "rwx"}]},
              {**GOLDEN, "mappings": [{**GOLDEN["mappings"][0], "categories": {"file": 1}}]},
              {**GOLDEN, "regions": [{**GOLDEN["regions"][0], "tid": 0}]},
              {**GOLDEN, "family": [{**GOLDEN["family"][0], "copied_categories": ["files"]}]}]
    found = [problem for report in reports for problem in problems(report)]
    found += finding_problems()
    found += [f"accepted: {list(b)[:3]}" for b in broken if not any(problems(b))]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
