"""Gathers what the runs of a study measured into one file of `results/`, in the form that `habn.results` reads."""

import json
import os
import platform
import subprocess
from datetime import date
from pathlib import Path

import torch
from torch import nn

from habn.data.weather import STRENGTHS, WEATHER
from habn.layers import parameter_overhead
from habn.networks.normalization import NORM_LABELS
from habn.study.runs import MEASURED, Study
from habn.study.variants import VARIANTS

METRIC = {"name": "mean_iou", "unit": "%", "higher_is_better": True}


def collect(study: Study, names: list[str], head: dict) -> dict:
    """Everything measured with those seeds that all of the variants have behind them: differences are paired.

    Args:
        study: whose folder is read.
        names: of its variants; the first is the baseline.
        head: from `describe`.

    Raises:
        ValueError: when no seed is through with all variants.
    """
    measured = {name: _measured(study.folder / name) for name in names}
    seeds = sorted(set.intersection(*(set(found) for found in measured.values())))
    if not seeds:
        raise ValueError(f"No seed is through with all of {', '.join(names)} yet; let the study run on.")
    kept = {name: [found[seed] for seed in seeds] for name, found in measured.items()}
    rows = [
        {
            **identity(name),
            "seeds": seeds,
            "values": [entry["clean"]["mean_iou"] for entry in entries],
            **{key: entries[0][key] for key in ("parameters", "added")},
        }
        for name, entries in kept.items()
    ]
    curves = [
        {**identity(name), "seed": seed, **entry["curve"]}
        for name, entries in kept.items()
        for seed, entry in zip(seeds, entries, strict=True)
    ]
    result = {**head, "baseline": VARIANTS[names[0]].norm, "rows": rows}
    if not study.plan.with_val:  # else they would be of pictures that were trained on
        result["curves"] = curves
    if all("weather" in entry for entries in kept.values() for entry in entries):
        result["weather"] = _weather(kept)
    searched = {name: entries for name, entries in kept.items() if "search" in entries[0]}
    if searched:
        result["search"] = _search(searched, seeds)
    return result


def describe(study: Study, title: dict[str, str], question: dict[str, str], command: str) -> dict:
    """The head of a result: what was trained and measured, on what, and how to do it again."""
    plan = study.plan
    pictures = len(study.task().train.images)
    return {
        "title": title,
        "question": question,
        "protocol": "scratch" if plan.trunk is None else "branched",
        "data": plan.data,
        "split": plan.split,
        "size": list(study.held_out.images.shape[2:]),
        "train": _trained_on(study),
        "steps": plan.options.steps,
        "epochs": round(plan.options.steps * plan.recipe.batch_size / pictures, 1),
        "hardware": _hardware(),
        "commit": _commit(),
        "date": date.today().isoformat(),
        "command": command,
        "metric": METRIC,
    }


def sizes(network: nn.Module) -> dict[str, int]:
    """Parameters of a network, and how many of them its normalization added."""
    overhead = parameter_overhead(network)
    return {"parameters": overhead.total, "added": overhead.added}


def _measured(folder: Path) -> dict[int, dict]:
    return {int(path.parent.name): json.loads(path.read_text()) for path in folder.glob(f"*/{MEASURED}")}


def identity(name: str) -> dict[str, str]:
    """By what a row is known: norm, label, setting."""
    variant = VARIANTS[name]
    return {"norm": variant.norm, "label": NORM_LABELS[variant.norm], "setting": variant.setting}


def _weather(kept: dict[str, list[dict]]) -> dict:
    rows = [
        {
            **identity(name),
            "weather": weather,
            "values": [[round(v, 2) for v in entry["weather"][weather]] for entry in entries],
        }
        for name, entries in kept.items()
        for weather in WEATHER
    ]
    return {"strengths": [0, *STRENGTHS], "rows": rows}


def _search(searched: dict[str, list[dict]], seeds: list[int]) -> dict:
    layers = next(iter(searched.values()))[0]["search"]["layers"]
    rows = [
        {**identity(name), "seed": seed, "gates": entry["search"]["gates"], "size": entry["search"]["size"]}
        for name, entries in searched.items()
        for seed, entry in zip(seeds, entries, strict=True)
    ]
    return {"layers": layers, "rows": rows}


def _trained_on(study: Study) -> str:
    plan = study.plan
    parts = ["train + val" if plan.with_val else "train"]
    if plan.scenes:
        parts.append(f"{plan.scenes} drawn scenes")
    text = " and ".join(parts) + (", with weather" if plan.recipe.weather else "")
    return text if plan.trunk is None else f"{text}; from the trunk {plan.trunk.name}"


def _hardware() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return f"{os.cpu_count()} CPU cores ({platform.machine()})"


def _commit() -> str:
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent, check=False
    )
    return answer.stdout.strip() or "unknown"
