#!/usr/bin/env python3
"""scripts/compare_peers.py without peers: ratios, targets, tables and the page from made-up rounds; wrong arguments.

usage: compare_peers_test.py SCRIPTS_FOLDER
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(sys.argv.pop(1))
sys.path.insert(0, str(SCRIPTS / "peers"))
import tables  # noqa: E402

SMALL, LARGE = (64, 32, 32, 7), (8, 128, 128, 56)


def record(op, pass_, row, who, rounds, threads=1):
    sizes = {"model": row, "n": 64} if isinstance(row, str) else dict(zip(("n", "c", "o", "size"), row))
    return {"op": op, "pass": pass_, **sizes, "threads": threads, "who": who, "rounds": rounds}


def results(*records):
    return {"machine": "a machine", "versions": {"torch": "2.0"}, "records": list(records)}


def cells_of(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def section_lines(page, heading):
    return page.partition(f"\n{heading}\n")[2].partition("\n#")[0].splitlines()


def target_columns(page):
    """(group, threads, target) → the cells below it, for the tables of targets of a page."""
    columns = {}
    for heading in re.findall(r"^### Targets: .*$", page, re.MULTILINE):
        group, _, threads = heading[len("### Targets: "):].rpartition(", ")
        titles, _, *rows = (cells_of(line) for line in section_lines(page, heading) if line)
        for at, title in enumerate(titles[1:], 1):
            columns[group, threads, title] = [row[at] for row in rows if row[0] != "**met**"]
    return columns


class Ratios(unittest.TestCase):
    def test_rounds_are_paired(self):
        spread = tables.ratio([2, 40, 6, 8, 10], [1, 10, 1, 1, 1])
        self.assertEqual((spread.low, spread.median, spread.high), (4, 6, 8))
        self.assertEqual(str(spread), "6.00 (4.00 to 8.00)")

    def test_only_rounds_that_both_have_count(self):
        spread = tables.ratio([30, 50], [1, 1, 100, 100])
        self.assertEqual((spread.low, spread.median, spread.high), (35, 40, 45))
        self.assertEqual(tables.ratio([3], [2]).high, 1.5)

    def test_operations_of_a_convolution(self):
        case = {"n": 2, "c": 3, "o": 4, "size": 5, "pass": "forward"}
        self.assertEqual(tables.flops(case), 2 * 2 * 25 * 3 * 4 * 9)
        self.assertEqual(tables.flops({**case, "pass": "forward_backward"}), 3 * tables.flops(case))


class Targets(unittest.TestCase):
    def test_the_best_layout_counts(self):
        records = tables.Records([record("conv2d", tables.FB, SMALL, "torch_contiguous", [3.0, 3.0]),
                                  record("conv2d", tables.FB, SMALL, "torch_channels_last", [2.0, 2.0]),
                                  record("conv2d", tables.FB, SMALL, "deft", [1.0, 1.0]),
                                  record("conv2d", tables.FB, SMALL, "deft", [9.0, 9.0], threads=2)])
        target = tables.CONV_TARGETS[1]
        spread = target.spread(records, SMALL, 1)
        self.assertEqual(spread.median, 2)
        self.assertIs(target.met(spread, SMALL), True)
        self.assertIsNone(target.spread(records, SMALL, 2))  # PyTorch was not there

    def test_bounds_depend_on_the_row(self):
        near = tables.deform_targets("deform_conv2d_v2")[2]
        spread = tables.Spread(1.2, 1.2, 1.2)
        self.assertIs(near.met(spread, SMALL), True)
        self.assertIs(near.met(spread, LARGE), False)
        self.assertIsNone(near.met(spread, (32, 64, 64, 32)))
        winograd = tables.CONV_TARGETS[2]
        self.assertIsNone(winograd.met(spread, SMALL))
        self.assertIs(winograd.met(spread, LARGE), True)

    def test_memory_beside_the_regular_net(self):
        records = tables.Records([record(tables.MEMORY, "step", "regular", "deft", [10.0]),
                                  record(tables.MEMORY, "step", "deform-v2", "deft", [14.0])])
        target = tables.NET_TARGETS[2]
        spread = target.spread(records, "deform-v2", 1)
        self.assertEqual(spread.median, 1.4)
        self.assertIs(target.met(spread, "deform-v2"), False)
        self.assertIsNone(target.met(spread, "regular"))


class Pages(unittest.TestCase):
    peak = record("conv2d", "forward", LARGE, "fma_peak", [9.0])
    ours = record("conv2d", "forward", LARGE, "deft", [10.0])

    def test_section(self):
        text = tables.section(results(self.peak, self.ours))
        self.assertIn("| 8, 128→128, 56 | 0.90 (0.90 to 0.90) ✓ | – | – | – |", text)
        self.assertIn("| **met** | **1 of 1** |", text)
        self.assertIn(f"FMA peak, one thread: {2e-6 * 8 * 56 * 56 * 128 * 128 * 9 / 9:.0f} (", text)
        gflops = 2e-6 * 8 * 56 * 56 * 128 * 128 * 9 / 10
        self.assertIn(f"| 8, 128→128, 56 | 10 ({gflops:.0f}) |", text)
        self.assertNotIn("ncnn |", text.partition("conv2d, forward")[2])  # what is missing has no column
        self.assertNotIn("Training step", text)

    def test_several_runs_are_told_apart(self):
        newer = record("conv2d", "forward", SMALL, "deft", [1.0])
        newer["run"] = "2000-01-01 00:00:00"
        self.assertNotIn("Put together", tables.section(results(self.peak, self.ours)))
        self.assertIn("Put together from 2 short runs", tables.section(results(self.peak, self.ours, newer)))

    def test_commits_are_named(self):
        self.assertIn("deft's commit: unknown.", tables.section(results(self.peak)))
        one, other = ({**self.ours, "commit": commit} for commit in ("abc1234", "abd1234+changes"))
        self.assertIn("deft's commit: abc1234.", tables.section(results(one, one)))
        self.assertIn("deft's commits: abc1234, abd1234+changes.", tables.section(results(one, other)))

    def test_only_the_section_of_a_page_changes(self):
        page = "before\n\n## Results\n\nold\n\n### old too\n\n## After\n\nkept\n"
        expected = "before\n\n## Results\n\nnew\n\n## After\n\nkept\n"
        self.assertEqual(tables.write_section(page, "## Results", "new\n"), expected)
        with self.assertRaisesRegex(ValueError, "no section '## Results'"):
            tables.write_section("a page", "## Results", "new")

    def test_the_summary_spans_the_rows_that_have_the_target(self):
        records = [record("conv2d", "forward", row, who, [ms]) for row, peak in (((1, 32, 32, 14), 0.5), (LARGE, 0.9),
                                                                                 ((1, 32, 32, 28), 0.85))
                   for who, ms in (("fma_peak", peak), ("deft", 1.0), ("ncnn", 9.0 * peak), ("deft_winograd", 1.0))]
        records += [record(tables.STEP, "step", model, who, [ms]) for model, ms in (("regular", 1.5), ("deform-v1", 20))
                    for who, ms in (("torch_contiguous", ms), ("deft", 1.0))]
        text = tables.summary(results(*records))
        self.assertIn("| conv2d | forward: share of the FMA peak ≥ 0.8 | 0.50 to 0.90; 2 of 3 |", text)
        self.assertIn("from 28 pixels on | 7.65 to 8.10; 2 of 2 |", text)  # 14 pixels have no target
        self.assertIn("| step: PyTorch / deft ≥ 2 regular, 18 deformable | 1.50, 20.0; 1 of 2 |", text)
        self.assertNotIn("deform_conv2d", text)

    def test_the_committed_summary_is_that_of_the_committed_tables(self):
        docs = SCRIPTS.parent / "docs"
        columns = target_columns((docs / "benchmarks_data.md").read_text())
        lines = section_lines((docs / "benchmarks.md").read_text(), "## Targets")
        titles, *rows = (cells_of(line) for line in lines if line.startswith("|") and not line.startswith("|---"))
        compared = 0
        for group, target, *summaries in rows:
            for threads, summary in zip(titles[2:], summaries):
                judged = [cell.partition(" ") for cell in columns[group, threads, target] if cell[-1] in "✓✗"]
                values = [value for value, _, _ in judged]
                if group.startswith("E0"):
                    self.assertEqual(summary.partition(";")[0], ", ".join(values))
                else:
                    ordered = sorted(values, key=float)
                    self.assertEqual(summary.partition(";")[0], f"{ordered[0]} to {ordered[-1]}")
                met = sum(rest[-1] == "✓" for _, _, rest in judged)
                self.assertEqual(summary.partition("; ")[2], f"{met} of {len(judged)}")
                compared += 1
        self.assertEqual(compared, len(columns))

    def test_merging_keeps_what_was_not_measured_again(self):
        newer = {**self.ours, "rounds": [5.0]}
        merged = tables.merge(results(self.peak, self.ours), results(newer))
        self.assertEqual(merged["records"], [self.peak, newer])


# In place of deft's program: times 14×14 pixels, fails with others.
BENCH = """#!{python}
import json, sys
if not sys.argv[sys.argv.index("--shapes") + 1].endswith(",14"):
    sys.exit("too large")
record = dict(op="conv2d", median_ms=1, fma_peak_gflops=1)
json.dump([record | {{"pass": "forward"}}], open(sys.argv[sys.argv.index("--json") + 1], "w"))
"""


def write_pages(folder):
    """Pages with an old section each: page → text"""
    pages = {pathlib.Path(folder, name): f"# Title\n\n{heading}\n\nold\n" for name, (heading, _) in tables.PAGES.items()}
    for page, text in pages.items():
        page.write_text(text)
    return pages


class CommandLine(unittest.TestCase):
    def run_script(self, *arguments):
        command = [sys.executable, SCRIPTS / "compare_peers.py", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def check_error(self, message, *arguments):
        done = self.run_script(*arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(message, done.stderr.splitlines()[-1])

    def test_wrong_arguments(self):
        self.check_error("--threads: is '1,x', expected positive numbers", "--threads", "1,x")
        self.check_error("--rounds: is '0', expected a positive number", "--rounds", "0")
        self.check_error("--peers: holds 'caffe', expected torch", "--peers", "caffe")
        self.check_error("--bench: nowhere is missing", "--bench", "nowhere")
        self.check_error("--filter: no case contains 'conv3d'", "--bench", sys.executable, "--venv", "/", "--filter",
                         "conv3d")

    def test_a_failure_keeps_what_was_measured_before(self):
        with tempfile.TemporaryDirectory() as folder:
            bench, file = (pathlib.Path(folder, name) for name in ("bench", "results.json"))
            bench.write_text(BENCH.format(python=sys.executable))
            bench.chmod(0o755)
            pathlib.Path(folder, "bin").mkdir()
            pathlib.Path(folder, "bin/python").symlink_to("/bin/false")  # no peer starts
            pages = write_pages(folder)
            done = self.run_script("--bench", bench, "--venv", folder, "--quick", "--threads", "1", "--json", file,
                                   "--pages", folder, "--filter", "conv2d forward 1,32")
            self.assertEqual(done.returncode, 1)
            self.assertIn("left out: ncnn: its process ended with 1", done.stderr)
            self.assertIn("too large", done.stderr.splitlines()[-1])
            kept = json.loads(file.read_text())["records"]
            self.assertEqual([(one["who"], one["size"], one["commit"]) for one in kept],
                             [("deft", 14, "unknown"), ("fma_peak", 14, "unknown")])
            self.assertIn("deft's commit: unknown.", done.stdout)
            self.assertEqual({page: page.read_text() for page in pages}, pages)

    def test_tables_of_recorded_results(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "results.json")
            file.write_text(json.dumps(results(Pages.peak, Pages.ours)))
            summary, data = write_pages(folder)
            done = self.run_script("--tables-only", "--json", file, "--pages", folder)
            self.assertEqual(done.stderr, "")
            self.assertIn("| conv2d | forward: share of the FMA peak ≥ 0.8 | 0.90 to 0.90; 1 of 1 |", summary.read_text())
            self.assertIn(done.stdout.strip(), data.read_text())
            data.write_text("# Title\n")
            self.check_error("benchmarks_data.md has no section", "--tables-only", "--json", file, "--pages", folder)
            file.write_text("{")
            self.check_error("results.json: Expecting", "--tables-only", "--json", file)
        self.check_error("--tables-only: needs --json FILE", "--tables-only")


if __name__ == "__main__":
    unittest.main()
