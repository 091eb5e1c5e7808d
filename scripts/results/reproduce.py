"""Runs published experiments to the end: trains what is not trained yet, tests it, and writes the results into
docs/results.json and the tables of README.md, docs/results.md, docs/results_data.md and apps/models/README.md.

Builds the programs first. Each training writes a folder of its own, runs/E0-regular-seed1 and so on, and resumes
from its last whole epoch when this command was interrupted and is started again; finished runs are not repeated.
Arguments after -- go to the programs, to those that test as far as they know them:
scripts/reproduce.sh E0 -- --threads 2
"""
import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import collect_results  # noqa: E402
import experiments  # noqa: E402
import records  # noqa: E402
import results_tables  # noqa: E402
import runs  # noqa: E402
import tables  # noqa: E402
from source_tree import commit_of  # noqa: E402

INTERRUPTED = 130
TEST_FLAGS = ("--data", "--threads", "--device", "--precision", "--conv-algorithm", "--no-progress")


def say(text):
    print(f"reproduce.sh: {text}", flush=True)


class EndOnCtrlC:
    """While in use, Ctrl-C is only for the program that runs, so that it ends as it should; a request to end, SIGTERM,
    reaches it as Ctrl-C."""

    def __enter__(self):
        self.program, self.requested = None, False
        self.old = signal.signal(signal.SIGINT, signal.SIG_IGN), signal.signal(signal.SIGTERM, self.request)
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self.old[0])
        signal.signal(signal.SIGTERM, self.old[1])

    def request(self, *_):
        self.requested = True
        if self.program:
            self.program.send_signal(signal.SIGINT)

    def run(self, command, folder):
        program = subprocess.Popen(command, cwd=folder, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.program = program
        if self.requested:  # while it was being started
            self.request()
        return program.wait()


def call(command, folder=ROOT):
    """Runs a program. Raises KeyboardInterrupt when it was interrupted, Problem when it failed."""
    with EndOnCtrlC() as guard:
        status = guard.run(command, folder)
    if status in (INTERRUPTED, -signal.SIGINT):
        raise KeyboardInterrupt
    if status != 0:
        raise runs.Problem(f"`{' '.join(map(str, command))}` ended with status {status}")


def build(wanted, arguments):
    """Builds the programs that the runs need. Returns their folder."""
    call([ROOT / "scripts/setup.sh"])
    call(["cmake", "--preset", "release", *(["-DDEFT_CUDA=ON"] if any("cuda" in one for one in arguments) else [])])
    programs = sorted({run.command.split()[0] for run, _ in wanted})
    call(["cmake", "--build", "--preset", "release", "--target", *programs])
    return ROOT / "build/release/bin"


def note_commit(folder):
    """A run that is resumed with programs of another commit has both."""
    commits = [*(folder.commits() if folder.epochs_done() else []), commit_of(ROOT)]
    folder.training.mkdir(parents=True, exist_ok=True)
    records.replace_file(folder.commit_file, ", ".join(dict.fromkeys(commits)) + "\n")


def for_tests(arguments):
    """The arguments that the testing commands know, with their values."""
    kept, known = [], False
    for word in arguments:
        if word.startswith("-"):
            known = word.split("=")[0] in TEST_FLAGS
        kept += [word] if known else []
    return kept


class Reproduction:
    def __init__(self, settings, arguments, programs):
        self.settings, self.arguments, self.programs = settings, arguments, programs
        self.runs = settings.folder / "runs"

    def run_command(self, text, *options):
        program, *words = text.split()
        words = [str(ROOT / word) if word.startswith("apps/configs/") else word for word in words]
        say(" ".join([text, *options]))
        call([self.programs / program, *words, *options], self.settings.folder)

    def folder(self, run, seed):
        return runs.RunFolder(run, seed, self.runs, self.settings.trial)

    def finish(self, run, seed):
        """Trains and tests, if that is not done yet."""
        folder = self.folder(run, seed)
        short = runs.trial_settings(run) if self.settings.trial else {}
        if folder.trained():
            say(f"{folder.title} is trained")
        else:
            for one in folder.trained_together():
                if not one.trained():
                    note_commit(one)
            options = [word for key, value in short.items() for word in (experiments.flag(key), str(value))]
            self.run_command(folder.run.train_command(seed), *options, "--resume", *self.arguments)
        if not folder.tested():
            limit = ["--limit", str(short["limit"])] if short else []
            self.run_command(folder.run.test_command(seed), *limit, *for_tests(self.arguments))

    def collect(self, run, seed):
        for problem in collect_results.collect([self.folder(run, seed)], self.settings.json, "unknown"):
            raise problem
        if not self.settings.trial:
            results_tables.write_pages(ROOT, tables.Results(records.read(self.settings.json)))


def seeds_of(text):
    try:
        seeds = [int(word) for word in text.split(",")]
    except ValueError:
        seeds = [-1]
    if min(seeds) < 0:
        raise argparse.ArgumentTypeError(f"is '{text}', expected numbers")
    return seeds


def parse_arguments(words):
    own, arguments = (words[:words.index("--")], words[words.index("--") + 1:]) if "--" in words else (words, [])
    arguments = [part for word in arguments for part in (word.split("=", 1) if word.startswith("--data=") else [word])]
    parser = argparse.ArgumentParser(prog="reproduce.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=[*experiments.NAMES, "all"], metavar="E0|E1|E2|E3|E4|all")
    parser.add_argument("--seeds", nargs="+", type=seeds_of, help="default: 1 2 3, in E2 and E3 1")
    parser.add_argument("--trial", action="store_true",
                        help="two epochs of 64 images, as a trial: results go only into the folder's results.json")
    parser.add_argument("--folder", type=Path, help="where runs/ stands; default: the source tree, or build/trial")
    parser.add_argument("--programs", type=Path, help="folder of programs to be used; default: build them")
    settings = parser.parse_args(own)
    settings.folder = (settings.folder or (ROOT / "build/trial" if settings.trial else ROOT)).resolve()
    settings.json = settings.folder / "results.json" if settings.trial else ROOT / "docs/results.json"
    return settings, arguments


def wanted_runs(settings):
    """Each with its seed, one seed after the other: E4's nets need one another."""
    names = experiments.NAMES if "all" in settings.experiments else settings.experiments
    for name in dict.fromkeys(names):
        seeds = [seed for some in settings.seeds for seed in some] if settings.seeds else experiments.SEEDS[name]
        for seed in dict.fromkeys(seeds):
            yield from ((run, seed) for run in experiments.runs_of(name))


def require_free(arguments, wanted, trial):
    """Refuses arguments that would change what the experiment fixes."""
    if ("--data", "synthetic") in zip(arguments, arguments[1:]) and not trial:
        raise runs.Problem("-- --data synthetic: is only for --trial, the experiments use real images")
    fixed = {"seed", "random_seed", "init", "regular", "cells", "out", "outdir", "config", "update_bn"}
    fixed.update(key for run, seed in wanted for key in runs.wanted_settings(run, seed, False))
    for argument in arguments:
        if argument.split("=")[0] in map(experiments.flag, fixed):
            raise runs.Problem(f"-- {argument}: is the experiment's to say; --trial makes short runs")


def with_absolute_data(arguments):
    """Programs run in the folder of the runs: a folder of data is one where the user stands."""
    absolute = list(arguments)
    for i, word in enumerate(arguments[1:], 1):
        if arguments[i - 1] == "--data" and word != "synthetic" and os.path.isdir(word):
            absolute[i] = os.path.abspath(word)
    return absolute


def reproduce(settings, arguments):
    wanted = list(wanted_runs(settings))
    require_free(arguments, wanted, settings.trial)
    arguments = with_absolute_data(arguments)
    if os.environ.get("DEFT_DATA"):
        os.environ["DEFT_DATA"] = os.path.abspath(os.environ["DEFT_DATA"])
    programs = settings.programs.resolve() if settings.programs else build(wanted, arguments)
    settings.folder.mkdir(parents=True, exist_ok=True)
    reproduction = Reproduction(settings, arguments, programs)
    for run, seed in wanted:
        reproduction.finish(run, seed)
        reproduction.collect(run, seed)
    results = tables.Results(records.read(settings.json))
    for name in dict.fromkeys(run.experiment for run, _ in wanted):
        print(f"\n{name}\n\n{tables.accuracy_table(results, name)}")


def main():
    settings, arguments = parse_arguments(sys.argv[1:])
    try:
        reproduce(settings, arguments)
    except runs.Problem as problem:
        sys.exit(f"reproduce.sh: {problem}")
    except OSError as error:
        sys.exit(f"reproduce.sh: {error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        print("reproduce.sh: interrupted; the same command resumes from here", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
