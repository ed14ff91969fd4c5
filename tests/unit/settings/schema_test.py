#!/usr/bin/env python3
"""Judges job_samples.json by docs/job.schema.json: each sample as its "schema" entry says."""
import json
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed: skipped")
    sys.exit(77)


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        samples = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = 0
    judged = 0
    for sample in samples:
        if "job" not in sample:
            continue  # Given as bytes: not JSON, or JSON that a parser would mend.
        judged += 1
        expected = sample.get("schema", "code" not in sample)
        faults = [fault.message for fault in validator.iter_errors(sample["job"])]
        if expected == (not faults):
            continue
        wrong += 1
        print(f"{sample['name']}: expected {'valid' if expected else 'invalid'}, got {faults}")
    print(f"{judged} samples judged, {wrong} wrong")
    return 1 if wrong or judged < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
