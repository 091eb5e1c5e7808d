#!/usr/bin/env python3
"""scripts/check_tensorboard.py with a stand-in for TensorBoard's reader: runs that agree with their logs, that differ,
and folders that hold none.

usage: check_tensorboard_test.py SCRIPTS_FOLDER
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(sys.argv.pop(1)).resolve() / "check_tensorboard.py"
# Reads a run's events.json, [tag, step, value] of each.
READER = """
import collections, json, pathlib
Event = collections.namedtuple("Event", "step value")
class EventAccumulator:
    def __init__(self, run, size_guidance):
        self.file = pathlib.Path(run) / "events.json"
    def Reload(self):
        self.events = json.loads(self.file.read_text()) if self.file.exists() else []
    def Tags(self):
        return {"scalars": {tag for tag, _, _ in self.events}}
    def Scalars(self, tag):
        return [Event(step, value) for one, step, value in self.events if one == tag]
"""
HEADER = "epoch,learning_rate,train_loss,accuracy_at_0.5,elapsed_seconds\n"
LOG = HEADER + "1,0.001,0.5,nan,9\n2,0.0007,0.25,0.75,18\n"
EVENTS = [["learning_rate", 1, 0.001], ["learning_rate", 2, 0.0007], ["loss/train", 1, 0.5], ["loss/train", 2, 0.25],
          ["accuracy_at_scale/0.5", 2, 0.75]]


class Checking(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        reader = self.root / "packages/tensorboard/backend/event_processing/event_accumulator.py"
        reader.parent.mkdir(parents=True)
        reader.write_text(READER)

    def write(self, name, log, events):
        run = self.root / name
        run.mkdir(exist_ok=True)
        (run / "log.csv").write_text(log)
        (run / "events.json").write_text(json.dumps(events))
        return run

    def check(self, *runs):
        """Status, output and errors."""
        done = subprocess.run([sys.executable, SCRIPT, *runs], text=True, capture_output=True,
                              env={**os.environ, "PYTHONPATH": str(self.root / "packages")})
        return done.returncode, done.stdout, done.stderr

    def test_runs_that_agree(self):
        run = self.write("run", LOG, EVENTS)
        self.assertEqual(self.check(run, run), (0, f"{run}: TensorBoard reads all 5 values of log.csv\n" * 2, ""))

    def test_runs_that_differ(self):
        for events, difference in ((EVENTS[1:], "learning_rate at step 1 is missing"),
                                   (EVENTS + EVENTS[:1], "learning_rate at step 1 is there twice"),
                                   (EVENTS + [["loss/test", 1, 0.5]], "loss/test at step 1 is not in log.csv"),
                                   ([["learning_rate", 1, 0.002], *EVENTS[1:]],
                                    "learning_rate at step 1 is 0.002, log.csv has 0.001")):
            run = self.write("run", LOG, events)
            self.assertEqual(self.check(run), (1, "", f"{run}: {difference}\n"))

    def test_what_is_not_a_run_is_named_and_the_others_are_checked(self):
        empty, good = self.write("empty", HEADER, []), self.write("good", LOG, EVENTS)
        gone, cut = self.root / "gone", self.write("cut", LOG[:-8], EVENTS)
        status, said, errors = self.check(empty, gone, cut, good)
        self.assertEqual((status, said), (1, f"{good}: TensorBoard reads all 5 values of log.csv\n"))
        self.assertEqual(errors, f"{empty}: log.csv has no values\n{gone}: log.csv: No such file or directory\n"
                                 f"{cut}: log.csv is not the log of a training run\n")


if __name__ == "__main__":
    unittest.main()
