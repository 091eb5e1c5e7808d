"""The file of results, docs/results.json: a list of records, one a line.

A record is one accuracy of one run: experiment, row (what was tested), model, seed, accuracy (percent), published (the
same), seconds (of the whole training, with the tests during it), epoch_seconds (the median epoch's), epochs, device,
threads, command, data, commit, machine; best_epoch where the accuracy is the best epoch's, per_scale (percent) in E0, and
precision and conv_algorithm where they are not the programs' defaults.
"""
import json

import experiments
from runs import Problem, read_json

NEEDED = {"experiment": str, "row": str, "model": str, "seed": int, "accuracy": (int, float), "published": (int, float),
          "seconds": (int, float), "epoch_seconds": (int, float), "epochs": int, "device": str, "threads": int,
          "command": str, "data": str, "commit": str, "machine": str}
MEASURED = ("accuracy", "seconds", "epochs")


def check(record, place):
    if not isinstance(record, dict):
        raise Problem(f"{place} is a {type(record).__name__}, expected an object")
    for name, kind in NEEDED.items():
        if name not in record:
            raise Problem(f"{place} has no '{name}'")
        if not isinstance(record[name], kind) or isinstance(record[name], bool):
            raise Problem(f"{place} has {name} {json.dumps(record[name])}")
    rows = experiments.PUBLISHED.get(record["experiment"], {})
    if record["model"] not in rows.get(record["row"], {}):
        names = f"{record['experiment']}, '{record['row']}', {record['model']}"
        raise Problem(f"{place} is of {names}: there is no such row")


def key(record):
    return record["experiment"], record["row"], record["model"], record["seed"]


def order(record):
    """Where a record stands in the file."""
    experiment, row, model, seed = key(record)
    rows = list(experiments.PUBLISHED[experiment])
    return experiment, rows.index(row), experiments.models_of(experiment).index(model), seed


def find(records, *wanted):
    """The one of this experiment, row, model and seed, or None."""
    return next((record for record in records if key(record) == wanted), None)


def epoch(record):
    """Of the weights that have its accuracy."""
    return record.get("best_epoch", record["epochs"])


def read(file, must_exist=False):
    """All records; none when there is no file yet, unless it must exist."""
    if not must_exist and not file.exists():
        return []
    records = read_json(file, list, "a list of records")
    for i, record in enumerate(records):
        check(record, f"{file}: record {i + 1}")
    if len({key(record) for record in records}) < len(records):
        raise Problem(f"{file}: holds two records of the same experiment, row, model and seed")
    return records


def merge(old, new):
    """All of them, in order, and those that are new or differ. A record of a run that is there already stays."""
    kept = {key(record): record for record in old}
    changed = [record for record in new
               if any(record[name] != kept.get(key(record), {}).get(name) for name in MEASURED)]
    kept.update({key(record): record for record in changed})
    return sorted(kept.values(), key=order), changed


def write(file, records):
    """In one step, so that the file is whole whenever the script ends."""
    lines = ",\n".join("  " + json.dumps(record, ensure_ascii=False) for record in records)
    replace_file(file, f"[\n{lines}\n]\n")


def replace_file(file, text):
    """Writes text or bytes."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        new.replace(file)
    except OSError as error:
        raise Problem(f"{file}: cannot write: {error.strerror}") from None
