#!/usr/bin/env python3
"""scripts/collect_results.py, ship_models.py and results_tables.py on made-up runs; the committed pages; wrong files.

usage: results_test.py SOURCE_FOLDER
"""
import contextlib
import io
import json
import os
import pathlib
import shutil
import struct
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1))
sys.path.insert(0, str(ROOT / "scripts"))
import collect_results  # noqa: E402
import experiments  # noqa: E402
import records  # noqa: E402
import results_tables  # noqa: E402
import ship_models  # noqa: E402
import tables  # noqa: E402

MNIST = "MNIST, 60000 images, CRC-32 60637407"
WEIGHTS = b"\x01\x02\x03\x04" * 2


def safetensors(metadata):
    weight = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    header = json.dumps({"__metadata__": metadata, "w": weight}).encode()
    return struct.pack("<Q", len(header)) + header + WEIGHTS


class Runs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.runs, self.json = self.root / "runs", self.root / "results.json"
        self.runs.mkdir()

    def write(self, run, seed, accuracy, epochs=None, summary=None, **config):
        """A run's folder as the programs leave it. `accuracy` is the best one, after the last epoch it is 0.01 less;
        `summary` and `config` are what these files have besides."""
        folder = self.runs / run.folder(seed) / run.part
        folder.mkdir(parents=True, exist_ok=True)
        preset = json.loads((ROOT / "apps/configs" / f"{run.preset}.json").read_text())
        epochs = preset[run.epochs_key] if epochs is None else epochs
        settings = json.dumps({"training data": MNIST})
        files = {"config.json": {**preset, run.seed_key: seed, "limit": 0, "max_steps": 0, "threads": 0, **config},
                 "summary.json": {"experiment": run.experiment, "model": run.model, "epochs": epochs, "best_epoch": 2,
                                  "best_accuracy": accuracy, "final_accuracy": accuracy - 0.01,
                                  "per_scale": {"0.5": 0.25, "1.0": 0.75} if run.experiment == "E0" else {},
                                  "seconds_per_epoch": [8.5] + [1.5] * (epochs - 1), "test_seconds_per_epoch": [0.5] * epochs,
                                  "threads": 2, "seed": seed, "device": "cpu", "machine": "a machine, 2 cores",
                                  **(summary or {})}}
        for name, value in files.items():
            (folder / name).write_text(json.dumps(value))
        about = {"experiment": run.experiment, "model": run.model, "seed": str(seed), "data": "MNIST, /home/me/data"}
        for name, epoch, share in (("best", 2, accuracy), ("last", epochs, accuracy - 0.01)):
            (folder / f"{name}.safetensors").write_bytes(
                safetensors({**about, "epoch": str(epoch), "accuracy": str(share)}))
        (folder / "checkpoint.safetensors").write_bytes(safetensors({"settings": settings, "history": "[]"}))
        return folder

    def collect(self, *arguments):
        """What the script says; its error, if it fails."""
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                collect_results.main([str(self.runs), "--json", str(self.json), *arguments])
        except SystemExit as end:
            return str(end)
        return said.getvalue()

    def records(self):
        return records.read(self.json)


E0, E0_DEFORM = experiments.runs_of("E0")


class Collecting(Runs):
    def test_a_record_of_a_finished_run(self):
        self.write(E0, 3, 0.875)
        self.assertIn("E0-regular-seed3: 87.50 %", self.collect("--commit", "abc"))
        self.assertEqual(self.records(), [{
            "experiment": "E0", "row": experiments.E0_ROW, "model": "regular", "seed": 3, "accuracy": 87.5,
            "published": 90.03, "seconds": 35.0, "epoch_seconds": 2.0, "epochs": 14, "best_epoch": 2, "per_scale": {"0.5": 25.0, "1.0": 75.0},
            "device": "cpu", "threads": 2,
            "command": "scaled_mnist train --config apps/configs/e0_regular.json --seed 3",
            "data": "MNIST, official files", "commit": "abc", "machine": "a machine, 2 cores"}])

    def test_a_record_says_how_the_run_was_computed_if_not_as_usual(self):
        usual = {"precision": "highest", "conv_algorithm": "automatic"}
        for seed, summary in ((1, {}), (2, usual), (3, {"precision": "tf32", "conv_algorithm": "direct"})):
            self.write(E0, seed, 0.8, summary=summary)
        self.collect()
        self.assertEqual([(one.get("precision"), one.get("conv_algorithm")) for one in self.records()],
                         [(None, None), (None, None), ("tf32", "direct")])
        self.assertIn("; cpu, 2 threads; cpu, 2 threads, precision tf32, conv_algorithm direct. Commit",
                      tables.circumstances(tables.Results(self.records()), "E0"))

    def test_what_is_not_finished_is_left_out_and_what_is_not_a_run_ignored(self):
        self.write(E0, 1, 0.8)
        self.write(E0, 2, 0.9, epochs=13)
        (self.runs / "quickstart-regular").mkdir()
        (self.runs / "E0-deform-v2-seed1").mkdir()
        said = self.collect()
        self.assertIn("E0-regular-seed2: left out, 13 of 14 epochs are done", said)
        self.assertIn("E0-deform-v2-seed1: left out, 0 of 14 epochs are done", said)
        self.assertEqual([one["seed"] for one in self.records()], [1])

    def test_the_same_run_stays_as_it_is_and_another_one_replaces_it(self):
        self.write(E0, 1, 0.8)
        self.collect("--commit", "first")
        before = self.json.read_bytes()
        self.assertIn("1 records, 0 of them new", self.collect("--commit", "second"))
        self.assertEqual(self.json.read_bytes(), before)
        self.write(E0, 1, 0.7)
        (self.runs / "E0-regular-seed1/commit.txt").write_text("third\n")
        self.collect("--commit", "second")
        self.assertEqual([(one["accuracy"], one["commit"]) for one in self.records()], [(70.0, "third")])

    def test_records_of_runs_that_are_gone_stay_and_all_are_in_order(self):
        self.write(E0_DEFORM, 2, 0.9)
        self.collect()
        shutil.rmtree(self.runs / "E0-deform-v2-seed2")
        self.write(E0_DEFORM, 1, 0.9)
        self.write(E0, 2, 0.8)
        self.collect()
        self.assertEqual([(one["model"], one["seed"]) for one in self.records()],
                         [("regular", 2), ("deform-v2", 1), ("deform-v2", 2)])

    def test_e1_reports_the_last_epoch_and_the_best(self):
        self.write(experiments.runs_of("E1")[0], 1, 0.98)
        self.collect()
        names = "row", "accuracy", "published", "best_epoch"
        self.assertEqual([tuple(one.get(name) for name in names) for one in self.records()],
                         [("after 20 epochs", 97.0, 97.73, None), ("best epoch", 98.0, 97.97, 2)])

    def test_tests_after_training_count_if_they_are_of_these_weights(self):
        e2, e4 = experiments.runs_of("E2")[2], experiments.runs_of("E4")[1]
        e2_folder, e4_folder = self.write(e2, 1, 0.9).parent, self.write(e4, 1, 0.9)
        self.assertIn("left out, `cifar10 test --model-type 3 --outdir runs/E2-deform-v2-seed1` is", self.collect())
        (e2_folder / "test").mkdir()
        (e2_folder / "test/summary.json").write_text('{"accuracy": 0.625}')
        (e4_folder / "eval.json").write_text('{"accuracy": {"plain": 0.75, "scaled": 0.5}}')
        self.collect()
        self.assertEqual([(one["experiment"], one["row"], one["accuracy"]) for one in self.records()],
                         [("E2", "CIFAR-10 test set", 62.5), ("E4", "MNIST", 75.0), ("E4", "scaled MNIST", 50.0)])
        self.assertTrue(self.records()[0]["command"].endswith(" && " + e2.test_command(1)))
        self.json.unlink()
        os.utime(e4_folder / "eval.json", (1, 1))
        self.assertIn("E4-finetuned-seed1: left out, `scaled_mnist eval --weights runs/E4-finetuned-seed1/last",
                      self.collect())
        (e4_folder / "last.safetensors").unlink()
        self.assertEqual(self.collect(), f"collect_results.py: {e4_folder}/last.safetensors: No such file or directory")

    def test_other_data_is_named_as_the_checkpoint_does(self):
        self.write(E0, 1, 0.8)
        settings = json.dumps({"training data": "CIFAR-10, 3 images, CRC-32 0"})
        (self.runs / "E0-regular-seed1/checkpoint.safetensors").write_bytes(safetensors({"settings": settings}))
        self.collect()
        self.assertEqual(self.records()[0]["data"], "CIFAR-10, 3 images, CRC-32 0")


class Mistakes(Runs):
    def check(self, error):
        self.assertEqual(self.collect(), f"collect_results.py: {error}")

    def test_a_run_of_other_settings(self):
        folder = self.write(E0, 1, 0.8, limit=8)
        self.check(f"{folder}/config.json: its run has limit 8, E0 has 0")
        self.write(E0, 1, 0.8, lr=0.1)
        self.check(f"{folder}/config.json: its run has lr 0.1, E0 has 0.001")
        self.write(E0, 1, 0.8, init="better")
        self.check(f'{folder}/config.json: its run has init "better", E0 has ""')
        self.write(E0, 1, 0.8, update_bn=True)
        self.check(f"{folder}/config.json: its run has update_bn true, E0 has false")
        self.assertFalse(self.json.exists())

    def test_a_run_of_another_seed(self):
        for run, key in ((E0, "seed"), (experiments.runs_of("E2")[0], "random_seed")):
            self.write(run, 2, 0.8)
            folder = (self.runs / run.folder(2)).rename(self.runs / run.folder(1)) / run.part
            self.check(f"{folder}/config.json: its run has {key} 2, {run.experiment} has 1")
            shutil.rmtree(self.runs / run.folder(1))

    def test_nets_are_tuned_from_the_regular_one_of_their_seed(self):
        tuned = experiments.runs_of("E4")[1]
        for regular in ({}, {"regular": ""}, {"regular": "runs/E4-regular-seed2/last.safetensors"}):
            self.write(tuned, 2, 0.8, **regular)
            self.assertIn("E4-finetuned-seed2: left out, `scaled_mnist eval", self.collect())
        folder = self.write(tuned, 2, 0.8, regular="runs/E4-regular-seed1/last.safetensors")
        self.check(f'{folder}/config.json: its run has regular "runs/E4-regular-seed1/last.safetensors", E4 has '
                   '"runs/E4-regular-seed2/last.safetensors"')

    def test_a_run_on_drawn_digits(self):
        folder = self.write(E0, 1, 0.8)
        settings = json.dumps({"training data": "synthetic digits, 60000 images"})
        (folder / "checkpoint.safetensors").write_bytes(safetensors({"settings": settings}))
        self.check(f"{folder}/checkpoint.safetensors: its run was trained on synthetic digits, 60000 images, which is not "
                   "E0's data")

    def test_a_wrong_run_is_named_and_the_others_collected(self):
        broken, other = self.write(E0, 1, 0.8), self.write(E0, 2, 0.8, lr=0.1)
        (broken / "summary.json").write_text("")
        self.write(E0, 3, 0.8)
        self.check(f"{broken}/summary.json: not JSON: Expecting value: line 1 column 1 (char 0)\n"
                   f"collect_results.py: {other}/config.json: its run has lr 0.1, E0 has 0.001")
        self.assertEqual([one["seed"] for one in self.records()], [3])

    def test_broken_files_of_a_run(self):
        folder = self.write(E0, 1, 0.8)
        (folder / "checkpoint.safetensors").write_bytes(b"\x08")
        self.check(f"{folder}/checkpoint.safetensors: not a safetensors file with metadata")
        (folder / "checkpoint.safetensors").write_bytes(safetensors({"settings": "{"}))
        self.check(f"{folder}/checkpoint.safetensors: not JSON: Expecting property name enclosed in double quotes: "
                   "line 1 column 2 (char 1)")
        self.write(E0, 1, 0.8, summary={"threads": "2"})
        self.check(f'{folder}: its record has threads "2"')
        (folder / "summary.json").write_text('{"epochs": "14"}')
        self.check(f'{folder}/summary.json: has epochs "14"')
        (folder / "summary.json").write_text('{"epochs": 14}')
        self.check(f"{folder}/summary.json: has no 'seconds_per_epoch'")
        (folder / "summary.json").write_text('{"epochs": ')
        self.check(f"{folder}/summary.json: not JSON: Expecting value: line 1 column 12 (char 11)")
        (folder / "summary.json").write_text("[]")
        self.check(f"{folder}/summary.json: holds a list, expected an object")

    def test_folders(self):
        self.check(f"{self.runs}: holds no run of an experiment, such as E0-regular-seed1")
        self.runs.rmdir()
        self.check(f"{self.runs}: there is no such folder")

    def test_the_file_of_results(self):
        self.write(E0, 1, 0.8)
        self.collect()
        good = self.records()[0]
        for text, error in (('[{"', "not JSON: Unterminated string starting at: line 1 column 3 (char 2)"),
                            ("{}", "holds a dict, expected a list of records"),
                            ("[3]", "record 1 is a int, expected an object"),
                            (json.dumps([good, {**good, "seed": "1"}]), 'record 2 has seed "1"'),
                            (json.dumps([{**good, "row": "x"}]),
                             "record 1 is of E0, 'x', regular: there is no such row"),
                            (json.dumps([good, good]),
                             "holds two records of the same experiment, row, model and seed"),
                            (json.dumps([{key: value for key, value in good.items() if key != "seed"}]),
                             "record 1 has no 'seed'")):
            self.json.write_text(text)
            self.check(f"{self.json}: {error}")


def record(model, seed, accuracy, experiment="E0", row=experiments.E0_ROW):
    return {"experiment": experiment, "row": row, "model": model, "seed": seed, "accuracy": accuracy, "published": 0,
            "seconds": 28.0 * seed, "epoch_seconds": 2.0 * seed, "epochs": 14, "best_epoch": 9, "device": "cpu", "threads": 1,
            "command": f"scaled_mnist train --seed {seed}", "data": "MNIST", "commit": "abc", "machine": "M"}


def cells(line):
    return [cell.strip() for cell in line.strip("|\n").split("|")]


class Tables(Runs):
    three = [record("regular", 1, 80.0), record("regular", 2, 90.0), record("regular", 3, 91.0),
             record("deform-v2", 1, 92.5), record("deform-v2", 2, 93.5)]

    def test_means_spread_and_margins(self):
        lines = tables.accuracy_table(tables.Results(self.three), "E0").splitlines()
        self.assertEqual(cells(lines[0])[2:9], ["published", "deft, mean", "to published", "spread", "seed 1", "seed 2",
                                                "seed 3"])
        self.assertEqual(cells(lines[2])[1:9], ["regular", "90.03", "**87.00**", "−3.03", "80.00 to 91.00", "80.00",
                                                "90.00", "91.00"])
        self.assertEqual(cells(lines[3])[1:9], ["deformable (v2)", "92.90", "**93.00**", "+0.10", "92.50 to 93.50",
                                                "92.50", "93.50", "–"])
        # 8.00 is the mean margin of seeds 1 and 2, that both nets have.
        self.assertEqual(cells(lines[4])[1:4], ["deformable (v2) over regular", "+2.87", "**+8.00**"])

    def test_other_seeds_than_the_experiments_are_shown_and_not_counted(self):
        others = [{**record("regular", 7, 10.0), "per_scale": {"0.5": 1.0}}, record("deform-v2", 0, 99.0)]
        results = tables.Results([*others, *self.three])
        lines = tables.accuracy_table(results, "E0").splitlines()
        self.assertEqual(cells(lines[0])[3:11], ["deft, mean", "to published", "spread", "seed 1", "seed 2", "seed 3",
                                                 "seed 0 (not counted)", "seed 7 (not counted)"])
        self.assertEqual(cells(lines[2])[3:11], ["**87.00**", "−3.03", "80.00 to 91.00", "80.00", "90.00", "91.00", "–",
                                                 "10.00"])
        self.assertEqual(cells(lines[4])[3], "**+8.00**")
        self.assertEqual(tables.overview(results), tables.overview(tables.Results(self.three)))
        self.assertEqual(tables.scale_table(results, "E0"), "")

        lines = tables.accuracy_table(tables.Results(others), "E0").splitlines()
        self.assertEqual(cells(lines[2])[3:8], ["–", "–", "–", "–", "10.00"])
        self.assertEqual(cells(lines[4])[3], "–")

    def test_all_lines_of_a_table_have_as_many_cells(self):
        for results in (tables.Results([]), tables.Results(self.three)):
            for name in experiments.NAMES:
                for text in (tables.accuracy_table(results, name), tables.run_table(results, name)):
                    self.assertEqual(len({len(cells(line)) for line in text.splitlines()}), 1, text)

    def test_runs_and_circumstances(self):
        text = tables.section(tables.Results(self.three), "E0")
        self.assertIn("| regular | 14 | 9, 9, 9 | 28, 56, 84 | 2.0, 4.0, 6.0 | `scaled_mnist train --seed N` |", text)
        self.assertIn("Machine: M; cpu, 1 thread. Commit: abc. Data: MNIST.", text)

    def test_each_commit_is_named_once(self):
        several = [{**one, "commit": commit} for one, commit in zip(self.three, ("a", "a, b", "b", "b", "b"))]
        self.assertIn("Commit: a, b. Data", tables.circumstances(tables.Results(several), "E0"))

    def test_the_overview_has_a_line_for_each_deformable_net(self):
        text = tables.overview(tables.Results(self.three))
        self.assertIn("| 90.03 | 87.00 | 92.90 (v2) | 93.00 | +2.87 | +8.00 | 3, 2 |", text)
        self.assertIn("| 55.38 | – | 67.18 | – | +11.80 | – | 0 |", text)
        self.assertEqual(len(text.splitlines()), 2 + 1 + 2 + 2 + 6 + 2)

    def test_a_part_of_a_page_is_replaced_up_to_the_next_heading(self):
        page = "# A\nx\n\n## B\n\nold\n\nolder\n\n### C\ny\n"
        new = results_tables.with_part(page, "## B", "new\n", "page")
        self.assertEqual(new, "# A\nx\n\n## B\n\nnew\n\n### C\ny\n")
        self.assertEqual(results_tables.with_part(new, "## B", "new\n", "page"), new)
        self.assertEqual(results_tables.with_part(page, "### C", "new\n", "page"),
                         "# A\nx\n\n## B\n\nold\n\nolder\n\n### C\n\nnew\n")

    def run_tables(self, *arguments):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                results_tables.main(list(arguments))
        except SystemExit as end:
            return str(end)

    def test_the_committed_pages_have_the_tables_of_the_committed_results(self):
        self.assertIsNone(self.run_tables("--check"))

    def test_pages(self):
        for page in results_tables.parts(tables.Results([])):
            (self.root / page).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / page, self.root / page)
        here = ("--root", str(self.root))
        self.assertIn("docs/results.json: No such file or directory", self.run_tables(*here))
        records.write(self.root / "docs/results.json", self.three)
        self.assertIn("not the tables of the file of results", self.run_tables(*here, "--check"))
        self.assertIsNone(self.run_tables(*here))
        self.assertIsNone(self.run_tables(*here, "--check"))
        self.assertIn("**93.00**", (self.root / "docs/results_data.md").read_text())
        (self.root / "README.md").write_text("# deft\n")
        self.assertEqual(self.run_tables(*here),
                         f"results_tables.py: {self.root}/README.md: has no heading '### Published and measured'")


class Shipping(Runs):
    def ship(self):
        """What the script says; its error, if it fails."""
        try:
            with contextlib.redirect_stdout(io.StringIO()) as said:
                ship_models.main([str(self.runs), "--json", str(self.json), "--models", str(self.root)])
        except SystemExit as end:
            return str(end)
        return said.getvalue()

    def test_weights_are_copied_without_the_place_of_the_data(self):
        self.write(E0, 1, 0.8)
        self.write(E0, 2, 0.9)
        self.collect("--commit", "abc")
        self.assertIn("e0_deform_v2: left out, its run is not in", self.ship())
        data = (self.root / "e0_regular.safetensors").read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + size])
        self.assertEqual(size % 8, 0)
        self.assertEqual(data[8 + size:], WEIGHTS)
        self.assertEqual(header["w"], {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]})
        self.assertEqual(header["__metadata__"], {
            "experiment": "E0", "model": "regular", "seed": "1", "epoch": "2", "accuracy": "0.8",
            "data": "MNIST, official files", "commit": "abc",
            "command": "scaled_mnist train --config apps/configs/e0_regular.json --seed 1"})

    def test_weights_of_another_run_than_the_recorded_one(self):
        self.write(E0, 1, 0.8)
        best = self.write(E0_DEFORM, 1, 0.9) / "best.safetensors"
        self.collect()
        about = collect_results.runs.metadata(best)
        for name, value, recorded in (("experiment", "E4", "E0"), ("model", "regular", "deform-v2"), ("seed", "2", "1"),
                                      ("epoch", "3", "2"), ("accuracy", "0.91", "90.0 %"),
                                      ("accuracy", "high", "90.0 %")):
            best.write_bytes(safetensors({**about, name: value}))
            self.assertEqual(self.ship(),
                             f"ship_models.py: {best}: has {name} {value}, the recorded run has {recorded}")
        best.write_bytes(safetensors({"experiment": "E0"}))
        self.assertEqual(self.ship(), f"ship_models.py: {best}: has no 'model'")
        self.assertEqual(list(self.root.glob("*.safetensors")), [])

    def test_tuned_weights_have_the_accuracy_on_scaled_digits(self):
        folder = self.write(experiments.runs_of("E4")[1], 1, 0.76)
        (folder / "eval.json").write_text('{"accuracy": {"plain": 0.5, "scaled": 0.75}}')
        self.collect()
        self.assertIn("e4_deform_v1.safetensors: ", self.ship())
        (folder / "eval.json").write_text('{"accuracy": {"plain": 0.75, "scaled": 0.5}}')
        self.collect()
        self.assertIn("has accuracy 0.75, the recorded run has 50.0 %", self.ship())

    def test_what_is_shipped_is_what_the_results_say(self):
        results = records.read(ROOT / "docs/results.json")
        for run, _, row in experiments.shipped():
            file = ROOT / "apps/models" / f"{run.preset}.safetensors"
            found = records.find(results, run.experiment, row, run.model, experiments.SHIPPED_SEED)
            self.assertEqual(file.exists(), found is not None, file)
            if found:
                about = collect_results.runs.metadata(file)
                self.assertEqual([about[name] for name in ("experiment", "model", "seed", "command", "commit", "data")],
                                 [found["experiment"], found["model"], "1", found["command"], found["commit"],
                                  found["data"]])
                self.assertEqual(int(about["epoch"]), found.get("best_epoch", found["epochs"]))
                self.assertEqual(round(100 * float(about["accuracy"]), 4), found["accuracy"])
        self.assertLess(sum(file.stat().st_size for file in (ROOT / "apps/models").iterdir()), 2e6)


if __name__ == "__main__":
    unittest.main()
