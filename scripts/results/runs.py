"""Reads what the programs leave in the folders of runs. Raises Problem, one line that names the file or folder."""
import json
import statistics
import struct
from pathlib import Path

import experiments

ROOT = Path(__file__).resolve().parents[2]
NUMBER = (int, float)
LARGEST_HEADER = 1 << 24  # bytes; that of a checkpoint has kilobytes


class Problem(Exception):
    pass


def read_text(file):
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file}: {getattr(error, 'strerror', None) or error}") from None


def read_json(file, kind=dict, expected="an object"):
    """The value in a JSON file, which is of this kind."""
    return parse_json(read_text(file), file, kind, expected)


def parse_json(text, file, kind=dict, expected="an object"):
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Problem(f"{file}: not JSON: {error}") from None
    if not isinstance(value, kind):
        raise Problem(f"{file}: holds a {type(value).__name__}, expected {expected}")
    return value


def value_in(object_, name, file, kind=object):
    if name not in object_:
        raise Problem(f"{file}: has no '{name}'")
    if not isinstance(object_[name], kind):
        raise Problem(f"{file}: has {name} {json.dumps(object_[name])}")
    return object_[name]


def read_header(stream):
    """The bytes that a safetensors file starts with and its header, decoded."""
    size = stream.read(8)
    text = stream.read(min(struct.unpack("<Q", size)[0], LARGEST_HEADER))
    return len(size) + len(text), json.loads(text)


def metadata(file):
    """The metadata of a safetensors file."""
    try:
        with file.open("rb") as stream:
            return read_header(stream)[1]["__metadata__"]
    except OSError as error:
        raise Problem(f"{file}: {error.strerror}") from None
    except (struct.error, ValueError, KeyError, TypeError):
        raise Problem(f"{file}: not a safetensors file with metadata") from None


def percent(share):
    return round(100 * share, 4)


def trial_settings(run):
    """Of a short run, to see an experiment work."""
    return {"limit": 64, run.epochs_key: 2}


def wanted_settings(run, seed, trial):
    """The settings of the experiment, with all of the data, or of a trial of it."""
    preset = read_json(ROOT / "apps/configs" / f"{run.preset}.json")
    preset.pop("save_epoch_freq", None)
    return {**preset, run.seed_key: seed, "limit": 0, "max_steps": 0, **(trial_settings(run) if trial else {})}


def wanted_if_set(seed):
    """Settings that may also be left empty, or that a program lacks: the weights that a run starts from, and what no
    protocol has."""
    regular, _ = experiments.runs_of("E4")
    return {"init": "", "regular": f"runs/{regular.folder(seed)}/last.safetensors", "update_bn": False}


class RunFolder:
    """The files that one run, or a trial of it, has left in the folder `runs`."""

    def __init__(self, run, seed, runs, trial=False):
        self.run, self.seed, self.trial = run, seed, trial
        self.path = runs / run.folder(seed)
        self.training = self.path / run.part

    @property
    def title(self):
        return self.path.name + (f"/{self.run.part}" if self.run.row else "")

    def exists(self):
        return self.training.is_dir()

    def summary(self, name, kind=object):
        file = self.training / "summary.json"
        return value_in(read_json(file), name, file, kind)

    def unusual(self):
        """Values of the summary that differ from the usual ones; an old summary has none of them."""
        summary = read_json(self.training / "summary.json")
        return {name: summary[name] for name, usual in experiments.USUAL.items() if summary.get(name, usual) != usual}

    def test_result(self, keys):
        """The number under these keys, one within the other, in what the test left."""
        file = self.path / self.run.test_result
        value = read_json(file)
        for key in keys[:-1]:
            value = value_in(value, key, file, dict)
        return value_in(value, keys[-1], file, NUMBER)

    def epochs_done(self):
        return self.summary("epochs", int) if (self.training / "summary.json").exists() else 0

    def epochs(self):
        return self.wanted_settings()[self.run.epochs_key]

    def wanted_settings(self):
        return wanted_settings(self.run, self.seed, self.trial)

    def trained(self):
        """Whether all epochs are done. Raises Problem when they were done with other settings than the experiment's."""
        if self.epochs_done() < self.epochs():
            return False
        file = self.training / "config.json"
        config = read_json(file)
        if_set = {key: wanted for key, wanted in wanted_if_set(self.seed).items() if config.get(key)}
        for key, wanted in {**self.wanted_settings(), **if_set}.items():
            if value_in(config, key, file) != wanted:
                raise Problem(f"{file}: its run has {key} {json.dumps(config[key])}, {self.run.experiment} has "
                              f"{json.dumps(wanted)}")
        return True

    def tested(self):
        """Whether the trained net was tested, and not an earlier one of the same folder."""
        if not self.run.test:
            return True
        result, weights = self.path / self.run.test_result, self.training / "last.safetensors"
        try:
            return result.exists() and result.stat().st_mtime >= weights.stat().st_mtime
        except OSError as error:
            raise Problem(f"{error.filename}: {error.strerror}") from None

    def missing(self):
        """The step that is still to be done, or None."""
        if not self.trained():
            return f"{self.epochs_done()} of {self.epochs()} epochs are done"
        return None if self.tested() else f"`{self.run.test_command(self.seed)}` is still to be run"

    def trained_together(self):
        """All that its command trains: itself, or the cells of a table."""
        return [RunFolder(run, self.seed, self.path.parent, self.trial)
                for run in experiments.runs_of(self.run.experiment) if run.folder(self.seed) == self.path.name]

    @property
    def commit_file(self):
        return self.training / "commit.txt"

    def commits(self):
        """The commits of the programs that trained it, as far as scripts/reproduce.sh started them."""
        return read_text(self.commit_file).replace(",", " ").split() if self.commit_file.exists() else []

    def data(self):
        """Which files it was trained on, by the check sums in its checkpoint. Raises Problem for synthetic digits,
        which only a trial may use."""
        file = self.training / "checkpoint.safetensors"
        settings = parse_json(value_in(metadata(file), "settings", file, str), file)
        fingerprint = value_in(settings, "training data", file, str)
        if fingerprint.startswith("synthetic") and not self.trial:
            raise Problem(f"{file}: its run was trained on {fingerprint}, which is not {self.run.experiment}'s data")
        return experiments.DATA_TITLES.get(fingerprint, fingerprint)

    def accuracies(self):
        """row → share of the test images, and the epoch when it is the best one's."""
        found = {}
        for row, source in self.run.rows.items():
            if source == "best":
                found[row] = self.summary("best_accuracy", NUMBER), self.summary("best_epoch", int)
            elif source == "final":
                found[row] = self.summary("final_accuracy", NUMBER), None
            else:
                found[row] = self.test_result(source), None
        return found

    def records(self, commit):
        """One for each row; `commit` holds for programs whose commit is not noted."""
        seconds = [sum(epoch) for epoch in zip(self.summary("seconds_per_epoch", list),
                                               self.summary("test_seconds_per_epoch", list))]
        commit = ", ".join(self.commits()) or commit
        commands = [self.run.train_command(self.seed)] + ([self.run.test_command(self.seed)] if self.run.test else [])
        records = []
        for row, (share, best_epoch) in self.accuracies().items():
            record = {"experiment": self.run.experiment, "row": row, "model": self.run.model, "seed": self.seed,
                      "accuracy": percent(share),
                      "published": experiments.PUBLISHED[self.run.experiment][row][self.run.model],
                      "seconds": round(sum(seconds), 1), "epoch_seconds": round(statistics.median(seconds), 1),
                      "epochs": self.epochs_done()}
            if best_epoch is not None:
                record["best_epoch"] = best_epoch
            if per_scale := self.summary("per_scale", dict):
                record["per_scale"] = {scale: percent(one) for scale, one in per_scale.items()}
            records.append({**record, "device": self.summary("device"), "threads": self.summary("threads"),
                            **self.unusual(), "command": " && ".join(commands), "data": self.data(), "commit": commit,
                            "machine": self.summary("machine")})
        return records


def find(runs):
    """The folders of runs of the experiments in the folder `runs`, in the order of the experiments."""
    if not runs.is_dir():
        raise Problem(f"{runs}: there is no such folder")
    names = sorted(path.name for path in runs.iterdir())
    found = [RunFolder(run, seed, runs) for run in experiments.RUNS
             for seed in sorted(seed for seed in map(run.seed_of, names) if seed is not None)]
    return [folder for folder in found if folder.exists()]
