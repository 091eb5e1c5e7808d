#!/usr/bin/env python3
"""Writes the tables of README.md, docs/results.md, docs/results_data.md and apps/models/README.md from
docs/results.json.

A table stands under a heading of its own, up to the next heading; the rest of a page is left as it is. With --check,
writes nothing and fails when a page's tables are not what the file of results gives.
"""
import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "results"))
import experiments  # noqa: E402
import records  # noqa: E402
import runs  # noqa: E402
import tables  # noqa: E402


def parts(results):
    """page → heading → text below it"""
    return {
        "docs/results.md": {"## All in one table": tables.overview(results)},
        "docs/results_data.md": {f"## {name}": tables.section(results, name) for name in experiments.NAMES},
        "README.md": {"### Published and measured": tables.overview(results)},
        "apps/models/README.md": {"## Files": tables.model_table(results)},
    }


def with_part(page, heading, text, file):
    """The page with what stands below the heading replaced."""
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    if not found:
        raise runs.Problem(f"{file}: has no heading '{heading}'")
    after = page[found.end():]
    return f"{page[:found.start()]}{heading}\n\n{text}" + (f"\n{after}" if after else "")


def pages(root, results):
    """file → its text, as it is and as it should be"""
    texts = {}
    for name, sections in parts(results).items():
        file = root / name
        old = new = runs.read_text(file)
        for heading, text in sections.items():
            new = with_part(new, heading, text, file)
        texts[file] = old, new
    return texts


def write_pages(root, results):
    for file, (old, new) in pages(root, results).items():
        if old != new:
            records.replace_file(file, new)
            print(f"{file}: tables written")


def check_pages(root, results):
    stale = [str(file) for file, (old, new) in pages(root, results).items() if old != new]
    if stale:
        raise runs.Problem(f"{', '.join(stale)}: not the tables of the file of results; run scripts/results_tables.py")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="the file of results; default: docs/results.json of --root")
    parser.add_argument("--root", type=Path, default=runs.ROOT, help="the folder that the pages stand in")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a page is not up to date")
    settings = parser.parse_args(arguments)
    try:
        results = tables.Results(records.read(settings.json or settings.root / "docs/results.json", must_exist=True))
        (check_pages if settings.check else write_pages)(settings.root, results)
    except runs.Problem as problem:
        sys.exit(f"results_tables.py: {problem}")


if __name__ == "__main__":
    main()
