#!/usr/bin/env python3
"""Learning curves of a task: its runs' own evaluations (policy alone, fresh seeds) as CSV and PNG.

    pip install matplotlib
    python docs/learning/curves.py NAME RUN...      writes docs/learning/NAME.csv and NAME.png
    python docs/learning/curves.py NAME             draws NAME.png from NAME.csv again

The CSV has one line per evaluation: seed, environment steps, updates, wall-clock seconds of training
and evaluation on the machine that trained, success rate and its 95% (Wilson) interval.
"""

import csv
import pathlib
import sys
import tomllib

FOLDER = pathlib.Path(__file__).parent
COLUMNS = ["seed", "steps", "updates", "wall_secs", "success_rate", "ci_low", "ci_high"]


def read_run(folder):
    """The evaluations of a run's folder."""
    seed = tomllib.loads((folder / "config.toml").read_text())["seed"]
    with open(folder / "progress.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["eval_success_rate"]:
                yield [seed, row["step"], row["updates"], row["wall_secs"],
                       *(row[f"eval_{name}"] for name in COLUMNS[4:])]


def draw(name, rows):
    try:
        import matplotlib
    except ImportError:
        sys.exit("drawing needs matplotlib: pip install matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    for seed in sorted({row["seed"] for row in rows}):
        mine = [{k: float(v) for k, v in row.items()} for row in rows if row["seed"] == seed]
        column = lambda key, scale=1: [scale * row[key] for row in mine]
        steps = column("steps", 1e-3)
        line, = axes.plot(steps, column("success_rate", 100), marker=".", label=f"seed {seed}")
        axes.fill_between(steps, column("ci_low", 100), column("ci_high", 100),
                          color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set(xlabel="environment steps, thousands", ylabel="success, policy alone, %",
             ylim=(0, 101), xlim=(0, None), title=name)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(FOLDER / f"{name}.png", dpi=120)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    name, *runs = sys.argv[1:]
    table = FOLDER / f"{name}.csv"
    if runs:
        with open(table, "w", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(COLUMNS)
            lines.writerows(row for run in runs for row in read_run(pathlib.Path(run)))
    with open(table, newline="") as file:
        draw(name, list(csv.DictReader(file)))


main()
