"""Table and picture of the runs that are there."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.delayed.cases import CONDITIONS, METHODS, TASKS, Case

Result = dict[str, Any]


def load(folder: Path, cases: list[Case]) -> tuple[list[Result], int]:
    """Return the finished runs of ``cases``, each with its name, and how many files are of other settings."""
    results, others = [], 0
    for case in cases:
        file = folder / f"{case.name}.json"
        if file.exists():
            result = json.loads(file.read_text())
            if result["case"] == case.as_dict():
                result["case"]["name"] = case.name
                results.append(result)
            else:
                others += 1
    return results, others


def report(folder: Path, results: list[Result], wanted: int) -> None:
    """Print the table and write it to ``table.md``, and the learning curves to ``curves.png``."""
    text = table(results, wanted)
    print(text)
    (folder / "table.md").write_text(text + "\n")
    if results:
        draw(folder / "curves.png", results)


def table(results: list[Result], wanted: int) -> str:
    """Return a Markdown table of final returns: the mean over seeds, and the lowest and highest seed."""
    finals = defaultdict(list)
    for result in results:
        case = result["case"]
        finals[case["task"], case["condition"], case["method"]].append(float(np.mean(result["final"])))
    steps = sorted({result["case"]["steps"] for result in results})
    lines = [
        f"Mean return of 20 episodes after {', '.join(f'{n:,}' for n in steps)} steps (lowest to highest seed; "
        f"{len(results)} of {wanted} runs).",
        "",
        "| task | delays | " + " | ".join(METHODS) + " |",
        "| --- | --- |" + " --- |" * len(METHODS),
    ]
    for task in TASKS:
        for condition in CONDITIONS:
            cells = [_cell(finals.get((task, condition, method), [])) for method in METHODS]
            if any(cells):
                lines.append(f"| {task} | {condition} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    if not values:
        return ""
    mean, low, high = (f"{value:.4g}" for value in (np.mean(values), min(values), max(values)))
    return f"{mean} ({low} to {high}; {len(values)})"


def draw(path: Path, results: list[Result]) -> None:
    """Draw the evaluations along the way, two panels a row: the mean over seeds as a line, each seed faintly."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    present = {(result["case"]["task"], result["case"]["condition"]) for result in results}
    panels = [(task, condition) for task in TASKS for condition in CONDITIONS if (task, condition) in present]
    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(8.3, 2.6 * rows + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 2, squeeze=False)
    for ax, (task, condition) in zip(axes.flat, panels, strict=False):
        _curves(ax, task, condition, results)
        ax.set(title=f"{task}, {condition}", xlabel="steps", ylabel="return")
        ax.locator_params(axis="x", nbins=5)
        ax.sharey(axes.flat[[one for one, _ in panels].index(task)])
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    handles = {label: line for ax in axes.flat for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(METHODS), frameon=False)
    figure.savefig(path, dpi=100)


def _curves(ax: Any, task: str, condition: str, results: list[Result]) -> None:
    for color, method in enumerate(METHODS):
        wanted = {"task": task, "condition": condition, "method": method}
        curves = [r["curve"] for r in results if all(r["case"][key] == value for key, value in wanted.items())]
        if not curves:
            continue
        for curve in curves:
            ax.plot(*zip(*curve, strict=True), color=f"C{color}", alpha=0.25, linewidth=0.8)
        mean = np.mean([[value for _, value in curve] for curve in curves], axis=0)
        ax.plot([step for step, _ in curves[0]], mean, color=f"C{color}", label=method)
    ax.grid(alpha=0.3)
