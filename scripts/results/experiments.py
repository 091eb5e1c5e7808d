"""The experiments: which nets they train with which commands, what they report, and what was published.

A run is one training of one net from one seed, in a folder of runs/. A row is one of the tests whose accuracy an
experiment reports. Accuracies are percent.
"""
import dataclasses
import json
import pathlib
import re

MODEL_TITLES = {"regular": "regular", "deform-v1": "deformable (v1)", "deform-v2": "deformable (v2)"}
NAMES = ("E0", "E1", "E2", "E3", "E4")

E0_ROW = "scales 0.5 to 1.5, best epoch"
E1_FINAL, E1_BEST = "after 20 epochs", "best epoch"
E2_ROW = "CIFAR-10 test set"
E4_PLAIN, E4_SCALED = "MNIST", "scaled MNIST"

# Those that count: means are over their runs. Runs of other seeds are shown beside them.
SEEDS = {"E0": (1, 2, 3), "E1": (1, 2, 3), "E2": (1,), "E3": (1,), "E4": (1, 2, 3)}

# experiment → row → model → accuracy; the programs read the same file.
PUBLISHED = json.loads((pathlib.Path(__file__).resolve().parents[2] / "apps/experiments/published.json").read_text())

# The results of others: a column's title, and row → model → its text. E0: PyTorch with the data here. E2: the published
# trained models on the JPEG copy. E4: the trained models that its authors ship, on plain digits and on deft's scaled
# ones. PyTorch and deft find the same accuracy for each of these models.
PEERS = {
    "E0": ("PyTorch, same protocol and data", {E0_ROW: {"regular": "88.43 (86.40, 89.70, 89.20)",
                                                        "deform-v2": "93.27 (93.29, 93.25; best of ten epochs)"}}),
    "E2": ("published nets on the JPEG copy", {E2_ROW: {"regular": "51.67", "deform-v1": "64.59",
                                                        "deform-v2": "66.75"}}),
    "E4": ("nets that its authors ship", {E4_PLAIN: {"regular": "98.45", "deform-v1": "97.56"},
                                          E4_SCALED: {"regular": "58.09", "deform-v1": "98.20"}}),
}

# How results may be computed; a record has these settings when they are others.
USUAL = {"precision": "highest", "conv_algorithm": "automatic"}

# What the check sums in a checkpoint say of the training images.
DATA_TITLES = {"MNIST, 60000 images, CRC-32 60637407": "MNIST, official files",
               "CIFAR-10, 50000 images, CRC-32 27b167c4": "CIFAR-10, JPEG copy"}


def flag(key):
    """That of the programs for a setting."""
    return f"--{key.replace('_', '-')}"


@dataclasses.dataclass(frozen=True)
class Run:
    """How one net of an experiment is trained and tested. Commands are those of the programs, in the folder that runs/
    stands in."""
    experiment: str
    model: str
    preset: str           # in apps/configs/
    command: str          # program and command
    name: str = ""        # of the folder, without -seedN
    test: str = ""        # the command that tests the finished run, if training does not say it all
    test_result: str = ""  # the file that it leaves in the folder
    part: str = ""        # below the folder: where training leaves its files
    row: str = ""         # the one test that it is for; otherwise it is for all of its experiment's
    # row → where its accuracy stands: in the summary of the training ("best" or "final"), or in the test's result,
    # under these keys
    rows: dict = dataclasses.field(default_factory=dict)
    seed_key: str = "seed"
    epochs_key: str = "epochs"

    def folder(self, seed):
        return f"{self.name or f'{self.experiment}-{self.model}'}-seed{seed}"

    def train_command(self, seed):
        return f"{self.command} --config apps/configs/{self.preset}.json {flag(self.seed_key)} {seed}"

    def test_command(self, seed):
        return self.test.format(folder=f"runs/{self.folder(seed)}")

    def seed_of(self, folder):
        """The seed of the run that such a folder's name means, or None."""
        found = re.fullmatch(re.escape(self.folder("")) + r"(\d+)", folder)
        return int(found[1]) if found else None


E0 = {"rows": {E0_ROW: "best"}}
E1 = {"rows": {E1_FINAL: "final", E1_BEST: "best"}}
E4 = {"test": "scaled_mnist eval --weights {folder}/last.safetensors --json {folder}/eval.json",
      "test_result": "eval.json",
      "rows": {E4_PLAIN: ("accuracy", "plain"), E4_SCALED: ("accuracy", "scaled")}}


E3_PARTS = {"MNIST": "mnist-plain", "MNIST rotated": "mnist-rotated", "MNIST translated": "mnist-translated",
            "MNIST rotated and translated": "mnist-rotated-translated", "CIFAR-10": "cifar10-plain",
            "CIFAR-10 rotated": "cifar10-rotated"}


def cell(row, model):
    return Run("E3", model, "e3", "geometry run", name="E3", part=f"{E3_PARTS[row]}-{model}", row=row,
               rows={row: "final"})


def cifar(model, preset, model_type):
    return Run("E2", model, preset, "cifar10 train", test=f"cifar10 test --model-type {model_type} --outdir {{folder}}",
               test_result="test/summary.json", part="train", rows={E2_ROW: ("accuracy",)}, seed_key="random_seed",
               epochs_key="num_epoch")


RUNS = (
    Run("E0", "regular", "e0_regular", "scaled_mnist train", **E0),
    Run("E0", "deform-v2", "e0_deform_v2", "scaled_mnist train", **E0),
    Run("E1", "regular", "e1_regular", "scaled_mnist train", **E1),
    Run("E1", "deform-v1", "e1_deform_v1", "scaled_mnist train", **E1),
    cifar("regular", "e2_regular", 1),
    cifar("deform-v1", "e2_deform_v1", 2),
    cifar("deform-v2", "e2_deform_v2", 3),
    *(cell(row, model) for row in E3_PARTS for model in ("regular", "deform-v1")),
    Run("E4", "regular", "e4_regular", "scaled_mnist train", **E4),
    Run("E4", "deform-v1", "e4_deform_v1", "scaled_mnist finetune", name="E4-finetuned", **E4),
)


def runs_of(experiment):
    return [run for run in RUNS if run.experiment == experiment]


def models_of(experiment):
    """In their usual order."""
    return [model for model in MODEL_TITLES if any(model in models for models in PUBLISHED[experiment].values())]


# The nets that come with deft, by preset: the weights of the run that are reported, and the row that training tests by
# itself, whose accuracy stands in the file.
SHIPPED = {"e0_regular": ("best.safetensors", E0_ROW), "e0_deform_v2": ("best.safetensors", E0_ROW),
           "e4_deform_v1": ("last.safetensors", E4_SCALED)}
SHIPPED_SEED = 1


def shipped():
    return [(run, *SHIPPED[run.preset]) for run in RUNS if run.preset in SHIPPED]
