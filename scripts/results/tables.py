"""Markdown tables from records. Nothing here measures or reads runs."""
import statistics

import experiments
from records import epoch

DASH = "–"


def table(titles, rows):
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def percent(value):
    return f"{value:.2f}"


def signed(value):
    return f"{value:+.2f}".replace("-", "−")


def distinct(values):
    return list(dict.fromkeys(values))


def joined(values):
    return ", ".join(map(str, distinct(values)))


class Results:
    """Records by what they are of."""

    def __init__(self, records):
        self.records = records

    def of(self, experiment, row=None, model=None):
        """In the order of the seeds."""
        found = [one for one in self.records if one["experiment"] == experiment and row in (None, one["row"])
                 and model in (None, one["model"])]
        return sorted(found, key=lambda one: one["seed"])

    def counted(self, experiment, row=None, model=None):
        """The records of seeds that count."""
        return [one for one in self.of(experiment, row, model) if one["seed"] in experiments.SEEDS[experiment]]

    def accuracies(self, experiment, row, model):
        """seed → accuracy, for seeds that count"""
        return {one["seed"]: one["accuracy"] for one in self.counted(experiment, row, model)}

    def margin(self, experiment, row, model):
        """Mean of what the net has over the regular one, of the seeds that both have; None when there is none."""
        ours, regular = (self.accuracies(experiment, row, one) for one in (model, "regular"))
        shared = ours.keys() & regular.keys()
        return statistics.mean(ours[seed] - regular[seed] for seed in shared) if shared else None

    def seeds(self, experiment):
        """First those that count."""
        counted = experiments.SEEDS[experiment]
        return sorted({one["seed"] for one in self.of(experiment)}, key=lambda seed: (seed not in counted, seed))


def spread(accuracies):
    return f"{percent(min(accuracies))} to {percent(max(accuracies))}" if len(accuracies) > 1 else DASH


def accuracy_cells(results, experiment, row, model, seeds):
    """Published, mean, its difference to the published one, spread, and each seed's."""
    published = experiments.PUBLISHED[experiment][row][model]
    by_seed = {one["seed"]: one["accuracy"] for one in results.of(experiment, row, model)}
    each = [percent(by_seed[seed]) if seed in by_seed else DASH for seed in seeds]
    counted = results.accuracies(experiment, row, model).values()
    if not counted:
        return [percent(published), DASH, DASH, DASH, *each]
    mean = statistics.mean(counted)
    return [percent(published), f"**{percent(mean)}**", signed(mean - published), spread(counted), *each]


def margin_cells(results, experiment, row, model, columns):
    """How much a deformable net has over the regular one, as published and here."""
    published = experiments.PUBLISHED[experiment][row]
    margin = results.margin(experiment, row, model)
    cells = [signed(published[model] - published["regular"]), DASH if margin is None else f"**{signed(margin)}**"]
    return cells + [""] * (columns - len(cells))


def accuracy_table(results, experiment):
    seeds = results.seeds(experiment) or [1]
    counted = [seed for seed in seeds if seed in experiments.SEEDS[experiment]]
    peer_title, peers = experiments.PEERS.get(experiment, (None, {}))
    titles = ["test", "net", "published", "deft" + (", mean" if len(counted) > 1 else ""), "to published", "spread",
              *(f"seed {seed}" + ("" if seed in counted else " (not counted)") for seed in seeds)]
    rows = []
    for row, models in experiments.PUBLISHED[experiment].items():
        for model in experiments.models_of(experiment):
            cells = accuracy_cells(results, experiment, row, model, seeds)
            rows.append([row, experiments.MODEL_TITLES[model], *cells, *([peers[row][model]] if peers else [])])
        for model in experiments.models_of(experiment)[1:]:
            title = f"{experiments.MODEL_TITLES[model]} over regular"
            rows.append([row, title, *margin_cells(results, experiment, row, model, len(titles) - 2 + bool(peers))])
    return table(titles + ([peer_title] if peers else []), rows)


def run_table(results, experiment):
    """How the runs were made. An accuracy of several rows is one of the same runs."""
    rows = []
    for run in experiments.runs_of(experiment):
        records = results.of(experiment, list(run.rows)[-1], run.model)
        if not records:
            continue
        title = experiments.MODEL_TITLES[run.model] + (f", {run.row}" if run.row else "")
        commands = distinct(one["command"].replace(f"seed {one['seed']}", "seed N")
                            .replace(f"-seed{one['seed']}", "-seedN") for one in records)
        best = ", ".join(str(one.get("best_epoch", DASH)) for one in records)
        rows.append([title, joined(one["epochs"] for one in records), best,
                     ", ".join(f"{one['seconds']:.0f}" for one in records),
                     ", ".join(f"{one['epoch_seconds']:.1f}" for one in records),
                     "<br>".join(f"`{command}`" for command in commands)])
    return table(["net", "epochs", "best epoch", "seconds", "seconds of the median epoch", "command"], rows)


def device(record):
    unusual = "".join(f", {name} {record[name]}" for name in experiments.USUAL if name in record)
    return f"{record['device']}, {record['threads']} thread{'s' if record['threads'] > 1 else ''}{unusual}"


def circumstances(results, experiment):
    records = results.of(experiment)
    devices = "; ".join(distinct(map(device, records)))
    commits = joined(commit for one in records for commit in one["commit"].split(", "))
    return (f"Machine: {joined(one['machine'] for one in records)}; {devices}. Commit: {commits}. "
            f"Data: {' and '.join(distinct(one['data'] for one in records))}.\n")


def scale_table(results, experiment):
    """Means by scale, for the experiment that tests at several."""
    rows, scales = [], []
    for model in experiments.models_of(experiment):
        records = [one for one in results.counted(experiment, model=model) if one.get("per_scale")]
        if records:
            scales = list(records[0]["per_scale"])
            rows.append([experiments.MODEL_TITLES[model],
                         *(f"{statistics.mean(one['per_scale'][scale] for one in records):.1f}" for scale in scales)])
    return "Accuracy by scale, means of the seeds:\n\n" + table(["scale", *scales], rows) if rows else ""


def section(results, experiment):
    """All tables of an experiment."""
    if not results.of(experiment):
        return "Not measured yet.\n\n" + accuracy_table(results, experiment)
    parts = [accuracy_table(results, experiment), scale_table(results, experiment), run_table(results, experiment),
             circumstances(results, experiment)]
    return "\n".join(part for part in parts if part)


def overview(results):
    """A line for each deformable net of each row, beside the regular one."""
    rows = []
    for experiment in experiments.NAMES:
        for row, published in experiments.PUBLISHED[experiment].items():
            for model in experiments.models_of(experiment)[1:]:
                ours = [results.accuracies(experiment, row, one).values() for one in ("regular", model)]
                texts = [percent(statistics.mean(one)) if one else DASH for one in ours]
                margin = results.margin(experiment, row, model)
                rows.append([experiment, row, percent(published["regular"]), texts[0],
                             percent(published[model]) + (" (v2)" if model == "deform-v2" else ""), texts[1],
                             signed(published[model] - published["regular"]),
                             DASH if margin is None else signed(margin), joined(map(len, ours))])
    return table(["", "test", "regular, published", "regular, deft", "deformable, published", "deformable, deft",
                  "margin, published", "margin, deft", "seeds"], rows)


def model_table(results):
    """The trained nets that come with deft."""
    rows = []
    for run, _, _ in experiments.shipped():
        found = [one for one in results.of(run.experiment, model=run.model) if one["seed"] == experiments.SHIPPED_SEED]
        if found:
            accuracy = ", ".join(f"{percent(one['accuracy'])} % ({one['row']})" for one in found)
            rows.append([f"`{run.preset}.safetensors`", f"{run.experiment}, {experiments.MODEL_TITLES[run.model]}",
                         str(experiments.SHIPPED_SEED), str(epoch(found[0])), accuracy,
                         f"`{found[0]['command']}`", found[0]["commit"]])
    return table(["file", "net", "seed", "epoch", "accuracy", "command", "commit"], rows)
