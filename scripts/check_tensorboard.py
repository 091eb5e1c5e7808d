#!/usr/bin/env python3
"""Reads what training runs have written for TensorBoard with TensorBoard's own reader and compares it with their logs.

usage: scripts/check_tensorboard.py RUN...

RUN is the folder of a run. Its log.csv must have values; each must be in the event files once, at the step of its
epoch, and they may hold no other. Needs the Python package tensorboard. Prints a line per run; exit status 1 if one of them
differs.
"""
import argparse
import csv
import math
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

# log.csv has six decimals, of times three; event files have float32.
RELATIVE, ABSOLUTE, ABSOLUTE_SECONDS = 1e-5, 1e-6, 1e-3


def tag_of(column):
    """The tag of a column of log.csv; None for what event files leave to their own times."""
    if column in ("epoch", "elapsed_seconds"):
        return None
    if column == "learning_rate":
        return column
    if column.startswith("accuracy_at_"):
        return "accuracy_at_scale/" + column.removeprefix("accuracy_at_")
    images, quantity = column.rsplit("_", 1)
    return f"{quantity}/{images}"


def logged(run):
    """(tag, step) -> value as log.csv has it, without cells that are empty."""
    values = {}
    with open(run / "log.csv", newline="") as file:
        for row in csv.DictReader(file):
            for column, text in row.items():
                if (tag := tag_of(column)) and not math.isnan(float(text)):
                    values[tag, int(row["epoch"])] = float(text)
    return values


def read(run):
    """(tag, step, value) of all scalars, as TensorBoard reads them."""
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    return [(tag, event.step, event.value) for tag in events.Tags()["scalars"] for event in events.Scalars(tag)]


def differences(run, expected):
    seen = set()
    for tag, step, value in read(run):
        if (tag, step) not in expected:
            yield f"{tag} at step {step} is not in log.csv"
        elif (tag, step) in seen:
            yield f"{tag} at step {step} is there twice"
        else:
            absolute = ABSOLUTE_SECONDS if tag.startswith("seconds/") else ABSOLUTE
            if not math.isclose(value, expected[tag, step], rel_tol=RELATIVE, abs_tol=absolute):
                yield f"{tag} at step {step} is {value}, log.csv has {expected[tag, step]}"
        seen.add((tag, step))
    for tag, step in sorted(expected.keys() - seen):
        yield f"{tag} at step {step} is missing"


def check(run):
    """Prints what is wrong, or that nothing is. Returns whether nothing is."""
    try:
        expected = logged(run)
    except OSError as error:
        wrong = [f"log.csv: {error.strerror}"]
    except (AttributeError, KeyError, TypeError, ValueError, csv.Error):
        wrong = ["log.csv is not the log of a training run"]
    else:
        wrong = list(differences(run, expected)) if expected else ["log.csv has no values"]
    for line in wrong:
        print(f"{run}: {line}", file=sys.stderr)
    if not wrong:
        print(f"{run}: TensorBoard reads all {len(expected)} values of log.csv")
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="+", type=pathlib.Path, help="folder of a training run")
    sys.exit(not all([check(run) for run in parser.parse_args().run]))


if __name__ == "__main__":
    main()
