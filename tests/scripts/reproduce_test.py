#!/usr/bin/env python3
"""scripts/reproduce.sh with the real programs on a few synthetic digits: whole, interrupted and resumed; mistakes.

usage: reproduce_test.py SOURCE_FOLDER PROGRAMS_FOLDER
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT, PROGRAMS = (pathlib.Path(sys.argv.pop(1)).resolve() for _ in range(2))
FEW = ("--", "--data", "synthetic", "--threads", "1", "--no-progress")
# Notes the commands that it gets.
NOTING = f"""#!/bin/sh
echo "$1" >> calls
exec {PROGRAMS}/scaled_mnist "$@"
"""
# Ends in the second training after an epoch, as with Ctrl-C.
STOPPING = NOTING.replace("exec", f"[ $1 != finetune ] || {{ {PROGRAMS}/scaled_mnist $* --epochs 1; exit 130; }}\nexec")


class Reproducing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def start(self, *arguments, programs=PROGRAMS, **options):
        return subprocess.Popen([ROOT / "scripts/reproduce.sh", "--folder", self.folder, "--programs", programs,
                                 *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)

    def run_script(self, *arguments, **options):
        """Status and output."""
        with self.start(*arguments, **options) as process:
            said = process.communicate()[0]
        return process.returncode, said

    def read(self, name):
        return (self.folder / name).read_bytes()

    def programs(self, script, name="scaled_mnist"):
        """A folder of programs with this script as one of them."""
        folder = self.folder / "programs"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
        return folder

    def test_an_interrupted_experiment_ends_as_one_that_was_not(self):
        # Of the last two flags the tests know nothing.
        e4 = ("E4", "--trial", "--seeds", "2", *FEW, "--save-epoch-freq", "1", "--quiet")
        status, said = self.run_script(*e4, programs=self.programs(STOPPING))
        self.assertEqual(status, 130, said)
        self.assertIn("reproduce.sh: interrupted; the same command resumes from here", said)
        # What was finished is among the results.
        self.assertEqual({one["model"] for one in json.loads(self.read("results.json"))}, {"regular"})
        self.assertEqual(json.loads(self.read("runs/E4-finetuned-seed2/summary.json"))["epochs"], 1)

        status, said = self.run_script(*e4, programs=self.programs(NOTING))
        self.assertEqual(status, 0, said)
        self.assertIn("reproduce.sh: E4-regular-seed2 is trained", said)
        self.assertEqual(self.read("calls").decode().split(), ["train", "eval", "finetune", "finetune", "eval"])
        resumed = self.read("runs/E4-finetuned-seed2/last.safetensors")
        results = json.loads(self.read("results.json"))
        self.assertEqual([(one["row"], one["model"], one["seed"], one["epochs"]) for one in results],
                         [("MNIST", "regular", 2, 2), ("MNIST", "deform-v1", 2, 2),
                          ("scaled MNIST", "regular", 2, 2), ("scaled MNIST", "deform-v1", 2, 2)])
        self.assertTrue(all(one["data"].startswith("synthetic digits, 64 images") for one in results), results)
        self.assertIn("| scaled MNIST | deformable (v1) | 98.22 | **", said)

        # A third time nothing is left to do; another folder has the same bits without a break.
        before = self.read("results.json")
        status, said = self.run_script(*e4, programs=self.programs("#!/bin/sh\nexit 3\n"))
        self.assertEqual(status, 0, said)
        self.assertEqual(self.read("results.json"), before)
        whole = self.folder / "whole"
        status, said = self.run_script(*e4[:4], "--folder", whole, *FEW)
        self.assertEqual(status, 0, said)
        self.assertEqual((whole / "runs/E4-finetuned-seed2/last.safetensors").read_bytes(), resumed)

    def test_ctrl_c_reaches_the_program_and_what_it_saved_stays(self):
        sleeping = "#!/bin/sh\ntrap 'echo saved > saved; exit 130' INT\necho ready\n" + "sleep 0.02\n" * 1000
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.start("E0", "--trial", programs=self.programs(sleeping), start_new_session=True) as process:
                while "ready" not in process.stdout.readline():
                    self.assertIsNone(process.poll())
                # A terminal sends Ctrl-C to the whole group.
                (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
                said = process.communicate()[0]
            self.assertEqual(process.returncode, 130, said)
            self.assertEqual(self.read("saved"), b"saved\n")
            (self.folder / "saved").unlink()

    def test_a_program_that_fails_ends_it(self):
        stand_in = '#!/bin/sh\necho "$@" >> calls\nexit 4\n'
        status, said = self.run_script("E2", "--trial", programs=self.programs(stand_in, "cifar10"))
        self.assertEqual(status, 1)
        self.assertEqual(self.read("calls").decode(), f"train --config {ROOT}/apps/configs/e2_regular.json "
                                                      "--random-seed 1 --limit 64 --num-epoch 2 --resume\n")
        self.assertIn("ended with status 4", said)

    def test_each_cell_notes_the_commits_that_trained_it(self):
        config = {**json.loads((ROOT / "apps/configs/e3.json").read_text()), "limit": 64, "epochs": 2, "max_steps": 0}
        cells = {}
        for name, epochs in (("mnist-plain-regular", None), ("mnist-plain-deform-v1", 2), ("mnist-rotated-regular", 1),
                             ("mnist-rotated-deform-v1", 0)):
            cells[epochs] = self.folder / "runs/E3-seed1" / name / "commit.txt"
            if epochs is not None:
                cells[epochs].parent.mkdir(parents=True)
                cells[epochs].write_text("before\n")
            if epochs:
                cells[epochs].with_name("config.json").write_text(json.dumps(config))
                cells[epochs].with_name("summary.json").write_text(json.dumps({"epochs": epochs}))
        status, said = self.run_script("E3", "--trial", programs=self.programs("#!/bin/sh\nexit 4\n", "geometry"))
        self.assertIn("ended with status 4", said)
        now = cells[None].read_text()
        self.assertEqual([cells[epochs].read_text() for epochs in (2, 1, 0)], ["before\n", f"before, {now}", now])

    def test_data_are_where_the_user_stands(self):
        here = self.folder / "here"
        (here / "digits").mkdir(parents=True)
        (here / "synthetic").mkdir()
        programs = self.programs('#!/bin/sh\necho "$@" | sed "s/.*--resume //" >> calls\nexit 4\n')
        for words in (("--data", "digits"), ("--data=digits", "--quiet"), ("--data", "synthetic"), ("--data", "gone")):
            self.run_script("E0", "--trial", "--", *words, programs=programs, cwd=here)
        self.assertEqual(self.read("calls").decode().splitlines(), [
            f"--data {here}/digits", f"--data {here}/digits --quiet", "--data synthetic", "--data gone"])

    def test_a_finished_run_of_other_settings_is_refused(self):
        status, said = self.run_script("E0", "--trial", "--seeds", "1", *FEW)
        self.assertEqual(status, 0, said)
        config = self.folder / "runs/E0-regular-seed1/config.json"
        config.write_text(config.read_text().replace('"epochs": 2', '"epochs": 3'))
        status, said = self.run_script("E0", "--trial", "--seeds", "1", *FEW)
        self.assertEqual((status, said), (1, f"reproduce.sh: {config}: its run has epochs 3, E0 has 2\n"))

    def test_wrong_arguments(self):
        for arguments, error in ((("E9",), "argument E0|E1|E2|E3|E4|all: invalid choice: 'E9'"),
                                 (("E0", "--seeds", "one"), "argument --seeds: is 'one', expected numbers"),
                                 ((), "the following arguments are required: E0|E1|E2|E3|E4|all"),
                                 (("E1", "--", "--epochs", "2"), "-- --epochs: is the experiment's to say"),
                                 (("E1", "--trial", "--", "--init=best.safetensors"), "-- --init=best.safetensors: is"),
                                 (("E4", "--trial", "--", "--regular", "other"), "-- --regular: is the experiment's"),
                                 (("E3", "--trial", "--", "--cells", "mnist"), "-- --cells: is the experiment's"),
                                 (("E4", "--", "--update-bn"), "-- --update-bn: is the experiment's to say"),
                                 (("E1", "--", "--data", "synthetic"), "-- --data synthetic: is only for --trial"),
                                 (("E1", "--", "--data=synthetic"), "-- --data synthetic: is only for --trial"),
                                 (("E1", "--programs", "/nowhere", "--trial"), "/nowhere/scaled_mnist: No such file")):
            status, said = self.run_script(*arguments)
            self.assertNotEqual(status, 0)
            self.assertIn(error, said)
        self.assertEqual(self.run_script("--help")[0], 0)


if __name__ == "__main__":
    unittest.main()
