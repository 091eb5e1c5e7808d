#!/usr/bin/env python3
"""Times deft beside other programs on the CPU: the same convolutions and training steps, in turns, in one run.

PyTorch with torchvision, ONNX Runtime and ncnn come from PyPI into a virtual environment (several GB, mostly PyTorch's
CUDA libraries, which are not used; PIP_EXTRA_INDEX_URL may name an index with a build for CPUs). Each runs
in a process of its own with the same number of threads. In every round each of them, and deft's program `bench`, times
the same shape for a short while; figures are medians over the rounds, with quartiles. Prints the tables of
docs/benchmarks_data.md; --pages writes them there, and their summary into docs/benchmarks.md. --json is written after
each group of cases, so that neither Ctrl-C nor a failure loses the groups before it.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / "peers"), str(Path(__file__).parent)]
import tables  # noqa: E402
from source_tree import commit_of  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("torch", "onnxruntime", "ncnn")
SHAPES = ((64, 32, 32, 7), (64, 32, 32, 14), (64, 32, 32, 28), (32, 64, 64, 32), (8, 128, 128, 56),
          (1, 32, 32, 14), (1, 32, 32, 28), (1, 64, 64, 32), (1, 128, 128, 56))
OPS = ("conv2d", "deform_conv2d_v1", "deform_conv2d_v2")
MODELS = ("regular", "deform-v1", "deform-v2")
BATCH = 64
TOLERANCE = {"ncnn_winograd": 2e-4}  # of results to each other; the others are sums in another order
SUM_TOLERANCE = 1e-5
IDLE_SECONDS = 0.02  # between programs, so that threads that wait by spinning have gone to sleep


def fail(message):
    sys.exit(f"compare_peers.py: {message}")


def say(message):
    print(message, file=sys.stderr, flush=True)


class Worker:
    """A peer in its own process, scripts/peers/worker.py."""

    def __init__(self, python, peer, threads):
        self.peer = peer
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        # In a session of its own, since Ctrl-C is only for this script.
        self.process = subprocess.Popen([python, ROOT / "scripts/peers/worker.py", peer, str(threads)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
                                        start_new_session=True)
        self.versions = self.answer()["versions"]

    def answer(self):
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"its process ended with {self.process.wait()}"}
        if "error" in answer:
            raise RuntimeError(f"{self.peer}: {answer['error']}")
        return answer

    def ask(self, do, **arguments):
        time.sleep(IDLE_SECONDS)
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says so
        return self.answer()["value"]

    def close(self):
        self.process.terminate()  # after Ctrl-C it may be in the middle of something long
        self.process.wait()


class Workers:
    """The peers that are there. One that fails is left out from then on, with a line that says why."""

    def __init__(self, python, peers, threads):
        self.workers = []
        for peer in peers:
            try:
                self.workers.append(Worker(python, peer, threads))
            except RuntimeError as error:
                say(f"left out: {error}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            worker.close()

    def ask(self, do, **arguments):
        """The answers of all, in one list."""
        answers = []
        for worker in list(self.workers):
            try:
                answers += worker.ask(do, **arguments)
            except RuntimeError as error:
                say(f"left out from here on: {error}")
                self.workers.remove(worker)
        return answers

    def has(self, peer):
        return any(worker.peer == peer for worker in self.workers)

    def versions(self):
        return {name: version for worker in self.workers for name, version in worker.versions.items()}


class Deft:
    """deft's benchmarks."""

    def __init__(self, program, threads):
        self.program, self.threads = program, threads

    def records(self, command, *arguments):
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            # --tiny: the machine's ceilings need not be measured each time; the peak is, between the calls
            call = [str(self.program), command, "--threads", str(self.threads), "--tiny", "--json", file.name]
            call += arguments
            done = subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"{' '.join(call)} failed: {done.stderr.strip()}")
            return json.load(open(file.name))

    def times(self, cases, seconds):
        """Of convolutions of one shape, and of the FMA peak: the time in which it would do their operations."""
        shape = ",".join(str(cases[0][name]) for name in ("n", "c", "o", "size"))
        wanted = {(case["op"], case["pass"]): case for case in cases}
        times = []
        for record in self.records("ops", "--shapes", shape, "--seconds", str(seconds)):
            winograd = record["op"] == "conv2d_winograd"
            case = wanted.get(("conv2d" if winograd else record["op"], record["pass"]))
            if case is None:
                continue
            times.append({**case, "who": "deft_winograd" if winograd else "deft", "ms": record["median_ms"]})
            if not winograd:
                peak_ms = 1e-6 * tables.flops(case) / record["fma_peak_gflops"]
                times.append({**case, "who": "fma_peak", "ms": peak_ms})
        return times

    def step_times(self, cases, seconds):
        wanted = {case["model"]: case for case in cases}
        records = self.records("step", "--filter", "E0", "--batch-size", str(BATCH), "--seconds", str(seconds))
        return [{**wanted[record["model"]], "who": "deft", "ms": record["median_ms"]} for record in records
                if record["model"] in wanted]

    def peak_memory(self, cases):
        wanted = {case["model"]: case for case in cases}
        records = self.records("memory", "--filter", "E0", "--batch-size", str(BATCH))
        return [{**wanted[record["model"]], "who": "deft", "ms": record["peak_resident_bytes"] / 2**20}
                for record in records if record["model"] in wanted]


class Rounds:
    """The rounds' times by case and program."""

    def __init__(self, threads, commit):
        self.threads, self.commit, self.lists = threads, commit, {}
        self.run = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())

    def add(self, times):
        for entry in times:
            value = entry.pop("ms")
            self.lists.setdefault(json.dumps(entry), []).append(value)

    def records(self):
        return [{**json.loads(key), "threads": self.threads, "run": self.run, "commit": self.commit, "rounds": rounds}
                for key, rounds in self.lists.items()]


def cases_of(text):
    """The cases whose label contains the text, grouped by shape; training steps and their memory come last."""
    groups = [[{"op": op, "pass": pass_, **dict(zip(("n", "c", "o", "size"), shape))}
               for op in OPS for pass_ in tables.PASS_TITLES] for shape in SHAPES]
    groups += [[{"op": op, "pass": "step", "model": model, "n": BATCH} for model in MODELS]
               for op in (tables.STEP, tables.MEMORY)]
    groups = [[case for case in group if text in label(case)] for group in groups]
    groups = [group for group in groups if group]
    if not groups:
        fail(f"--filter: no case contains '{text}'; cases are such as 'conv2d forward 64,32,32,28' and "
             f"'{tables.STEP} step regular'")
    return groups


def label(case):
    names = ("model",) if "model" in case else ("n", "c", "o", "size")
    return f"{case['op']} {case['pass']} " + ",".join(str(case[name]) for name in names)


def check_results(workers, files):
    """The peers' results must agree before anything is timed; deft's are compared with PyTorch's by its tests."""
    by_case = {}
    for file in files:
        by_case.setdefault(label(file["case"]), []).append(file)
    for name, group in by_case.items():
        differences = workers.workers[0].ask("differences", files=[file["file"] for file in group])
        for file, difference in zip(group, differences):
            tolerance = TOLERANCE.get(file["who"], SUM_TOLERANCE)
            if not difference <= tolerance:
                raise RuntimeError(f"{name}: {file['who']} differs from {group[0]['who']} by {difference:.1e}, "
                                   f"expected at most {tolerance:.0e}")


def measure(group, workers, deft, settings, rounds):
    with tempfile.TemporaryDirectory() as folder:
        check_results(workers, workers.ask("prepare", cases=group, folder=folder))
    ours = deft.step_times if group[0]["op"] == tables.STEP else deft.times
    for i in range(settings.rounds):
        rounds.add(ours(group, settings.seconds))
        time.sleep(IDLE_SECONDS)
        rounds.add(workers.ask("time", round=i, seconds=settings.seconds))


def measure_memory(group, workers, python, deft, rounds):
    rounds.add(deft.peak_memory(group))
    if not workers.has("torch"):
        return
    for case in group:
        for who in tables.TORCH:
            with Workers(python, ["torch"], deft.threads) as fresh:  # a process of its own each time
                rounds.add(fresh.ask("peak_memory", case=case, who=who))


def run(settings, groups, python):
    """Measures, and yields the results so far after each group of cases."""
    versions, earlier, commit = {}, [], commit_of(settings.bench.resolve().parent)
    for threads in settings.threads:
        deft, rounds = Deft(settings.bench, threads), Rounds(threads, commit)
        with Workers(python, settings.peers, threads) as workers:
            versions.update(workers.versions())
            say(f"{tables.threads_title(threads)}: "
                + (", ".join(f"{name} {version}" for name, version in workers.versions().items()) or "only deft"))
            for group in groups:
                say(f"  {label(group[0])} and {len(group) - 1} more")
                if group[0]["op"] == tables.MEMORY:
                    measure_memory(group, workers, python, deft, rounds)
                else:
                    measure(group, workers, deft, settings, rounds)
                yield {"machine": machine(), "versions": versions, "records": earlier + rounds.records()}
        earlier += rounds.records()


def machine():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def environment(folder):
    """The Python of a virtual environment with the peers in it; makes it when it is not there."""
    python = folder / "bin/python"
    if not python.exists():
        say(f"installing the peers into {folder}: several GB")
        install = [python, "-m", "pip", "install", "-q", "-r", ROOT / "scripts/peers/requirements.txt"]
        for command in ([sys.executable, "-m", "venv", folder], install):
            if subprocess.run(command).returncode != 0:
                fail(f"{' '.join(map(str, command))} failed; remove {folder} before another try")
    return str(python)


def threads_list(text):
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = [0]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"is '{text}', expected positive numbers with commas between them")
    return numbers


def peers_list(text):
    names = text.split(",")
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"holds '{name}', expected {', '.join(PEERS)}")
    return names


def positive(kind):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not value > 0:
            raise argparse.ArgumentTypeError(f"is '{text}', expected a positive number")
        return value
    return parse


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, default=ROOT / "build/release/bin/bench", help="deft's program")
    parser.add_argument("--venv", type=Path, default=ROOT / "build/peers", help="the virtual environment")
    parser.add_argument("--peers", type=peers_list, default=list(PEERS), help="which ones: " + ",".join(PEERS))
    parser.add_argument("--threads", type=threads_list, default=[1, 2], help="numbers of threads: 1,2")
    parser.add_argument("--rounds", type=positive(int), default=7)
    parser.add_argument("--seconds", type=positive(float), default=0.05, help="for each time, in each round")
    parser.add_argument("--filter", default="", help="only cases that contain this in 'OP PASS N,C,O,SIZE'")
    parser.add_argument("--quick", action="store_true", help="two rounds of at least one call, to try it out")
    parser.add_argument("--json", type=Path, help="file of the results; what is in it and not measured now stays")
    parser.add_argument("--pages", type=Path,
                        help="folder of benchmarks.md and benchmarks_data.md: write the tables into them")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing: tables of the --json file")
    settings = parser.parse_args(arguments)
    if settings.quick:
        settings.rounds, settings.seconds = 2, 0.001
    if settings.tables_only and not settings.json:
        parser.error("--tables-only: needs --json FILE")
    if not settings.tables_only and not settings.bench.exists():
        parser.error(f"--bench: {settings.bench} is missing; build it or name it")
    return settings


def read(file, argument):
    try:
        return file.read_text()
    except OSError as error:
        fail(f"{argument}: {file}: {error.strerror}")


def read_results(file):
    try:
        return json.loads(read(file, "--json"))
    except ValueError as error:
        fail(f"--json: {file}: {error}")


def pages_with(folder, results):
    """page → its text with the tables of these results"""
    texts = {}
    for name, (heading, make) in tables.PAGES.items():
        try:
            texts[folder / name] = tables.write_section(read(folder / name, "--pages"), heading, make(results))
        except ValueError as error:
            fail(f"--pages: {folder / name} has {error}")
    return texts


def write_results(file, results):
    """In one step, so that the file is whole whenever the script ends."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_text(json.dumps(results, indent=1) + "\n")
        new.replace(file)
    except OSError as error:
        fail(f"--json: {file}: {error.strerror}")


def results_of_run(settings, old):
    """The measurements, with those that only the old results have, and why some are missing, or None."""
    results, groups = old, cases_of(settings.filter)
    try:
        for measured in run(settings, groups, environment(settings.venv)):
            results = tables.merge(old, measured) if old else measured
            if settings.json:
                write_results(settings.json, results)
    except RuntimeError as error:
        return results, str(error)
    except KeyboardInterrupt:
        return results, "interrupted"
    return results, None


def main(arguments=None):
    settings = parse_arguments(arguments)
    old = read_results(settings.json) if settings.json and (settings.tables_only or settings.json.exists()) else None
    if settings.pages:
        pages_with(settings.pages, {"machine": "", "versions": {}, "records": []})  # fails before anything is measured
    results, problem = (old, None) if settings.tables_only else results_of_run(settings, old)
    if results:
        if settings.pages and not problem:
            for page, text in pages_with(settings.pages, results).items():
                page.write_text(text)
        print(tables.section(results))
    if problem:
        fail(problem)


if __name__ == "__main__":
    main()
