"""Ratios, targets and Markdown tables from recorded times. Nothing here measures.

A record is a dictionary: op, pass, the sizes (n, c, o, size) or the model and n, threads, who (the program), and
"rounds", one number per round: milliseconds, or MiB where op is peak_memory_e0; "run" and "commit" say when it was
measured, and of what source. The program "fma_peak" is the time that
a convolution's operations take at the processor's peak.
"""
import dataclasses
import statistics

TORCH = ("torch_contiguous", "torch_channels_last")
NCNN = ("ncnn", "ncnn_winograd")
TITLES = {"deft": "deft", "deft_winograd": "deft, Winograd", "torch_contiguous": "PyTorch, contiguous",
          "torch_channels_last": "PyTorch, channels_last", "torchvision": "torchvision", "onnxruntime": "ONNX Runtime",
          "ncnn": "ncnn", "ncnn_winograd": "ncnn, Winograd"}
OP_TITLES = {"conv2d": "conv2d", "deform_conv2d_v1": "deform_conv2d v1", "deform_conv2d_v2": "deform_conv2d v2"}
PASS_TITLES = {"forward": "forward", "forward_backward": "forward and backward"}
STEP, MEMORY = "train_step_e0", "peak_memory_e0"


def flops(case):
    """Of the ordinary convolution; backward takes twice as many as forward."""
    once = 18 * case["n"] * case["c"] * case["o"] * case["size"] ** 2
    return once * (3 if case["pass"] == "forward_backward" else 1)


def row_of(record):
    """The subject of a row of the tables: a shape, or a model."""
    return record["model"] if "model" in record else tuple(record[name] for name in ("n", "c", "o", "size"))


def case_of(pass_, row):
    return {**dict(zip(("n", "c", "o", "size"), row)), "pass": pass_}


def row_title(row):
    return row if isinstance(row, str) else "{}, {}→{}, {}".format(*row)


class Records:
    """Recorded rounds by what they are of."""

    def __init__(self, records):
        self.rounds = {(r["op"], r["pass"], row_of(r), r["threads"], r["who"]): r["rounds"] for r in records}

    def best(self, op, pass_, row, threads, programs):
        """The rounds of the fastest of some programs; None when none of them was measured."""
        found = [self.rounds[key] for who in programs if (key := (op, pass_, row, threads, who)) in self.rounds]
        return min(found, key=statistics.median, default=None)

    def rows(self, op, threads):
        """Batches before single images, as in the order of measuring."""
        return list(dict.fromkeys(key[2] for key in self.rounds if key[0] == op and key[3] == threads))

    def fma_peak_gflops(self, threads):
        """Over all rows and rounds; None when it was not measured."""
        peaks = [1e-6 * flops(case_of(pass_, row)) / ms
                 for (_, pass_, row, count, who), rounds in self.rounds.items() for ms in rounds
                 if who == "fma_peak" and count == threads]
        return Spread.of(peaks) if peaks else None

    def threads(self):
        return sorted({key[3] for key in self.rounds})


@dataclasses.dataclass
class Spread:
    """A number that was measured in each round: median and quartiles."""
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    def __str__(self):
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(top, bottom):
    """Of two programs that took turns: the spread of the ratios of the rounds that both have."""
    return Spread.of([a / b for a, b in zip(top, bottom)])


@dataclasses.dataclass(frozen=True)
class Quantity:
    """The time or memory of the best of some programs; without a model, on the row's."""
    op: str
    pass_: str
    programs: tuple
    model: str = None

    def rounds(self, records, row, threads):
        return records.best(self.op, self.pass_, self.model or row, threads, self.programs)


@dataclasses.dataclass(frozen=True)
class Target:
    """`top` / `bottom` is at least, or at most, the bound. That may depend on the row; None: no target there."""
    title: str
    top: Quantity
    bottom: Quantity
    bound: object  # a number, or a function of the row
    at_least: bool = True

    def bound_of(self, row):
        return self.bound(row) if callable(self.bound) else self.bound

    def spread(self, records, row, threads):
        top, bottom = (quantity.rounds(records, row, threads) for quantity in (self.top, self.bottom))
        return ratio(top, bottom) if top and bottom else None

    def met(self, spread, row):
        bound = self.bound_of(row)
        if spread is None or bound is None:
            return None
        return spread.median >= bound if self.at_least else spread.median <= bound


def conv(pass_, *programs):
    return Quantity("conv2d", pass_, programs)


def close_to_ordinary(row):
    """By channels: the fewer there are, the more sampling weighs beside the products."""
    return {32: 1.4, 128: 1.1}.get(row[1])


FB = "forward_backward"
CONV_TARGETS = (
    Target("forward: share of the FMA peak ≥ 0.8", conv("forward", "fma_peak"), conv("forward", "deft"), 0.8),
    Target("forward+backward: PyTorch / deft ≥ 1", conv(FB, *TORCH), conv(FB, "deft"), 1),
    Target("Winograd forward: ncnn / deft ≥ 1 from 28 pixels on", conv("forward", *NCNN),
           conv("forward", "deft_winograd"), lambda row: 1 if row[3] >= 28 else None),
    Target("Winograd forward+backward: PyTorch / deft ≥ 1.3", conv(FB, *TORCH), conv(FB, "deft_winograd"), 1.3),
)


def deform_targets(op):
    def deform(pass_, *programs):
        return Quantity(op, pass_, programs)

    return (
        Target("forward: ncnn / deft ≥ 1.5", deform("forward", "ncnn"), deform("forward", "deft"), 1.5),
        Target("forward: ONNX Runtime / deft ≥ 2", deform("forward", "onnxruntime"), deform("forward", "deft"), 2),
        Target("forward+backward: deft / our conv2d ≤ 1.4 at 32 channels, 1.1 at 128", deform(FB, "deft"),
               conv(FB, "deft"), close_to_ordinary, at_least=False),
        Target("forward+backward: deft / PyTorch's conv2d ≤ 2", deform(FB, "deft"), conv(FB, *TORCH), 2,
               at_least=False),
        Target("forward+backward: torchvision / deft ≥ 60", deform(FB, "torchvision"), deform(FB, "deft"), 60),
    )


NET_TARGETS = (
    Target("step: PyTorch / deft ≥ 2 regular, 18 deformable", Quantity(STEP, "step", TORCH),
           Quantity(STEP, "step", ("deft",)), lambda model: 2 if model == "regular" else 18),
    Target("peak memory: deft / PyTorch ≤ 1", Quantity(MEMORY, "step", ("deft",)), Quantity(MEMORY, "step", TORCH), 1,
           at_least=False),
    Target("peak memory: deft / our regular net ≤ 1.3", Quantity(MEMORY, "step", ("deft",)),
           Quantity(MEMORY, "step", ("deft",), "regular"), lambda model: None if model == "regular" else 1.3,
           at_least=False),
)


def table(titles, rows, texts=1):
    """The first `texts` columns hold words, the others figures."""
    lines = ["| " + " | ".join(titles) + " |", "|---" * texts + "|---:" * (len(titles) - texts) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def target_groups():
    """For each table of targets: title, operation, targets, and the title of its rows."""
    for op, op_title in OP_TITLES.items():
        yield op_title, op, CONV_TARGETS if op == "conv2d" else deform_targets(op), SHAPE_TITLE
    yield "E0's nets in training, batch 64", STEP, NET_TARGETS, "net"


def target_table(targets, records, op, threads, first_title):
    """Ratios of every row, with a check, and in the last line how many rows meet each target; empty without rows."""
    rows, counts = [], [[0, 0] for _ in targets]
    for row in records.rows(op, threads):
        cells = [row_title(row)]
        for target, count in zip(targets, counts):
            spread = target.spread(records, row, threads)
            met = target.met(spread, row)
            cells.append("–" if spread is None else str(spread) + {True: " ✓", False: " ✗", None: ""}[met])
            count[0] += met is True
            count[1] += met is not None
        rows.append(cells)
    if not rows:
        return ""
    rows.append(["**met**"] + [f"**{met} of {count}**" if count else "–" for met, count in counts])
    return table([first_title] + [target.title for target in targets], rows)


def summary_cell(target, records, op, threads):
    """The lowest and the highest median of the rows that have the target, nets one by one, and how many meet it."""
    found = [(row, target.spread(records, row, threads)) for row in records.rows(op, threads)
             if target.bound_of(row) is not None]
    found = [(row, spread) for row, spread in found if spread]
    if not found:
        return "–"
    medians = [spread.median for _, spread in found]
    if isinstance(found[0][0], str):
        values = ", ".join(map(number, medians))
    else:
        values = f"{number(min(medians))} to {number(max(medians))}"
    return f"{values}; {sum(target.met(spread, row) for row, spread in found)} of {len(found)}"


def summary(results):
    """All targets in one table, as Markdown."""
    records = Records(results["records"])
    rows = []
    for title, op, targets, _ in target_groups():
        for target in targets:
            cells = [summary_cell(target, records, op, threads) for threads in records.threads()]
            if any(cell != "–" for cell in cells):
                rows.append([title, target.title, *cells])
    return table(["", "target", *map(threads_title, records.threads())], rows, texts=2)


def time_table(records, op, pass_, threads, first_title):
    """Median times of every program, for convolutions with GFLOP/s; empty when nothing was measured."""
    programs = [who for who in TITLES if any(key[:2] == (op, pass_) and key[3:] == (threads, who)
                                             for key in records.rounds)]
    rows = []
    for row in records.rows(op, threads):
        cells = [row_title(row)]
        for who in programs:
            rounds = records.rounds.get((op, pass_, row, threads, who))
            cells.append(time_cell(rounds, pass_, row) if rounds else "–")
        if any(cell != "–" for cell in cells[1:]):
            rows.append(cells)
    return table([first_title] + [TITLES[who] for who in programs], rows) if rows else ""


def time_cell(rounds, pass_, row):
    median = statistics.median(rounds)
    if isinstance(row, str):
        return number(median)
    gflops = 1e-6 * flops(case_of(pass_, row)) / median
    return f"{median:.3g} ({gflops:.0f})" if median < 1000 else f"{median:.0f} ({gflops:.1f})"


def threads_title(threads):
    return "one thread" if threads == 1 else f"{threads} threads"


SHAPE_TITLE = "N, C→O, H=W"


def section(results):
    """Everything that is measured, as Markdown."""
    records = Records(results["records"])
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items()) or "only deft"
    commits = list(dict.fromkeys(record.get("commit", "unknown") for record in results["records"])) or ["unknown"]
    text = [f"Machine: {results['machine']}. deft's commit{'s' if len(commits) > 1 else ''}: {', '.join(commits)}. "
            f"Programs: {versions}.\n"]
    runs = {(record["threads"], record.get("run")) for record in results["records"]}
    if len(runs) > len(records.threads()):
        text.append(f"Put together from {len(runs)} short runs: what was not measured in the same run, such as "
                    "different operations, may have seen different states of the machine.\n")
    for threads in records.threads():
        counted = threads_title(threads)
        peak = records.fma_peak_gflops(threads)
        if peak:
            text.append(f"FMA peak, {counted}: {peak} GFLOP/s.\n")
        parts = [(f"Targets: {title}", target_table(targets, records, op, threads, first_title))
                 for title, op, targets, first_title in target_groups()]
        for op, op_title in OP_TITLES.items():
            for pass_, pass_title in PASS_TITLES.items():
                parts.append((f"{op_title}, {pass_title}: ms (GFLOP/s of the ordinary convolution)",
                              time_table(records, op, pass_, threads, SHAPE_TITLE)))
        parts.append(("Training step of E0's nets, batch 64: ms", time_table(records, STEP, "step", threads, "net")))
        parts.append(("Growth of the process in a training step, batch 64: MiB at most",
                      time_table(records, MEMORY, "step", threads, "net")))
        text += [f"### {title}, {counted}\n\n{body}" for title, body in parts if body]
    return "\n".join(text)


# page → the heading of the section that is written, and what makes its text
PAGES = {"benchmarks.md": ("## Targets", summary), "benchmarks_data.md": ("## Results", section)}


def write_section(page, heading, text):
    """The page's text with what stands below the heading replaced. Raises ValueError when there is no such heading."""
    before, found, rest = page.partition(f"\n{heading}\n")
    if not found:
        raise ValueError(f"no section '{heading}'")
    _, next_heading, after = rest.partition("\n## ")
    return f"{before}{found}\n{text}{next_heading}{after}"


def merge(old, new):
    """Results with the records of `new`, and those of `old` that it has not measured again."""
    def key(record):
        return record["op"], record["pass"], row_of(record), record["threads"], record["who"]

    measured = {key(record): record for record in new["records"]}
    kept = {key(record): record for record in old["records"]}
    order = {**kept, **measured}
    return {**new, "versions": {**old["versions"], **new["versions"]}, "records": list(order.values())}
