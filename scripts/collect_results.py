#!/usr/bin/env python3
"""Collects the finished runs of a folder into docs/results.json.

A run is collected when all its epochs and its tests are done, with the settings of its experiment's preset; what is not
finished is named and left out, and so is what is wrong, with exit status 1 at the end. A run whose results stand in the
file already leaves them as they are; another run of the same experiment, model and seed replaces them.
scripts/results_tables.py makes the pages' tables from the file.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "results"))
import records  # noqa: E402
import runs  # noqa: E402


def collect(folders, file, commit):
    """Prints what becomes of each of these runs. Returns a Problem for each of those that are left out as wrong."""
    old, new, problems = records.read(file), [], []
    for folder in folders:
        try:
            missing = folder.missing()
            collected = [] if missing else folder.records(commit)
            for record in collected:
                records.check(record, f"{folder.path}: its record")
        except runs.Problem as problem:
            problems.append(problem)
            continue
        new += collected
        accuracies = ", ".join(f"{one['accuracy']:.2f} % ({one['row']})" for one in collected)
        print(f"{folder.title}: {f'left out, {missing}' if missing else accuracies}")
    merged, changed = records.merge(old, new)
    if changed:
        records.write(file, merged)
    print(f"{file}: {len(merged)} records, {len(changed)} of them new")
    return problems


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder with the runs' folders, such as E0-regular-seed1")
    parser.add_argument("--json", type=Path, default=runs.ROOT / "docs/results.json", help="the file of results")
    parser.add_argument("--commit", default="unknown", help="of the programs, for runs that do not say it (commit.txt)")
    settings = parser.parse_args(arguments)
    try:
        folders = runs.find(settings.runs)
        if not folders:
            raise runs.Problem(f"{settings.runs}: holds no run of an experiment, such as E0-regular-seed1")
        problems = collect(folders, settings.json, settings.commit)
    except runs.Problem as problem:
        problems = [problem]
    if problems:
        sys.exit("\n".join(f"collect_results.py: {problem}" for problem in problems))


if __name__ == "__main__":
    main()
