#!/usr/bin/env python3
"""Copies the trained nets that come with deft from a folder of runs to apps/models/.

They are those of seed 1, whatever their results, of the runs that docs/results.json has records of; others are refused.
Each file says by which command and commit it was made, as the record does, and not where the data stood.
scripts/results_tables.py lists them in apps/models/README.md.
"""
import argparse
import json
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "results"))
import experiments  # noqa: E402
import records  # noqa: E402
import runs  # noqa: E402


def require_of_run(source, record):
    """Raises Problem unless the weights are of the recorded run."""
    about = runs.metadata(source)
    for name, wanted in (("experiment", record["experiment"]), ("model", record["model"]),
                         ("seed", str(record["seed"])), ("epoch", str(records.epoch(record)))):
        if runs.value_in(about, name, source) != wanted:
            raise runs.Problem(f"{source}: has {name} {about[name]}, the recorded run has {wanted}")
    accuracy = runs.value_in(about, "accuracy", source)
    try:
        same = runs.percent(float(accuracy)) == record["accuracy"]
    except (TypeError, ValueError):
        same = False
    if not same:
        raise runs.Problem(f"{source}: has accuracy {accuracy}, the recorded run has {record['accuracy']} %")


def ship(source, record, target):
    """Copies the tensors as they are, under a header that says more and less."""
    about = {**runs.metadata(source), "data": record["data"], "command": record["command"], "commit": record["commit"]}
    with source.open("rb") as stream:
        _, header = runs.read_header(stream)
        tensors = stream.read()
    text = json.dumps({**header, "__metadata__": about}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors start at a multiple of eight bytes
    records.replace_file(target, struct.pack("<Q", len(text)) + text + tensors)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder with the runs' folders, such as E0-regular-seed1")
    parser.add_argument("--json", type=Path, default=runs.ROOT / "docs/results.json", help="the file of results")
    parser.add_argument("--models", type=Path, default=runs.ROOT / "apps/models", help="where the files go")
    settings = parser.parse_args(arguments)
    try:
        results = records.read(settings.json)
        found = []
        for run, weights, row in experiments.shipped():
            record = records.find(results, run.experiment, row, run.model, experiments.SHIPPED_SEED)
            if record is None:
                print(f"{run.preset}: left out, its run is not in {settings.json}")
                continue
            source = runs.RunFolder(run, experiments.SHIPPED_SEED, settings.runs).training / weights
            require_of_run(source, record)
            found.append((source, record, settings.models / f"{run.preset}.safetensors"))
        for source, record, target in found:
            ship(source, record, target)
            print(f"{target}: {target.stat().st_size} bytes, {record['command']}")
    except runs.Problem as problem:
        sys.exit(f"ship_models.py: {problem}")


if __name__ == "__main__":
    main()
