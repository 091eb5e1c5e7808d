"""One peer in a process of its own, so that no program's threads disturb another's.

usage: worker.py PEER THREADS, with PEER one of torch, onnxruntime, ncnn

Reads commands, writes answers, both JSON, one to a line; scripts/compare_peers.py is at the other end. The first line
it writes holds the versions of what it uses, or the error that keeps it from working.
"""
import importlib
import json
import os
import statistics
import sys
import time

SLOW_SECONDS = 0.2  # a call that takes longer is timed only in the first rounds
SLOW_ROUNDS = 2


class Contender:
    """A way to compute a case. `call` does it once, `overhead` the same around no work, `output` returns the result."""

    def __init__(self, case, who, call, output=None, overhead=None):
        self.case, self.who, self.call, self.output, self.overhead = case, who, call, output, overhead
        begin = time.perf_counter()
        call()
        self.slow = time.perf_counter() - begin > SLOW_SECONDS
        if not self.slow:
            call()

    def median_ms(self, seconds):
        if self.overhead is None:
            return median_ms(self.call, seconds)
        return median_ms(self.call, seconds) - median_ms(self.overhead, seconds / 4)


def median_ms(call, seconds):
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


class Session:
    """The commands."""

    def __init__(self, peer):
        self.peer = peer
        self.contenders = []

    def prepare(self, cases, folder=None):
        """Makes the contenders of some cases; with a folder, saves their results there and returns the files."""
        import numpy

        self.contenders = [contender for case in cases for contender in self.peer.contenders(case)]
        files = []
        if folder is not None:
            for contender in self.contenders:
                if contender.output is not None:
                    file = f"{folder}/{len(os.listdir(folder))}.npy"
                    numpy.save(file, contender.output())
                    files.append({"case": contender.case, "who": contender.who, "file": file})
        return files

    def time(self, round, seconds):
        return [{**contender.case, "who": contender.who, "ms": contender.median_ms(seconds)}
                for contender in self.contenders if round < SLOW_ROUNDS or not contender.slow]

    def differences(self, files):
        """max|a − b| / max|b| of each file's array to the first one's."""
        import numpy

        arrays = [numpy.load(file) for file in files]
        return [float(numpy.abs(array - arrays[0]).max() / numpy.abs(arrays[0]).max()) for array in arrays]

    def peak_memory(self, case, who):
        return [{**case, "who": who, "ms": self.peer.peak_memory(case["model"], case["n"], who)}]


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    # Libraries print to the standard output; the answers have the real one to themselves.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")

    try:
        peer = importlib.import_module(f"{name}_peer").Peer(threads)
    except ImportError as error:
        answer({"error": str(error)})
        return
    answer({"versions": peer.versions()})
    session = Session(peer)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer({"value": getattr(session, command.pop("do"))(**command)})
        except Exception as error:  # whatever a library throws, the other end reports it and drops this peer
            answer({"error": f"{type(error).__name__}: {error}"})
    answers.flush()
    os._exit(0)  # some libraries crash when the interpreter takes them apart


if __name__ == "__main__":
    main()
