"""What ``gobench doctor`` says about Go: which engines are here, which networks for them, and how to get the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from gobench.doctor import Check, Finding, Program, find_program
from gobench_go.engines.commands import how_to_get
from gobench_go.engines.find import program
from gobench_go.engines.nets import FOLDERS, HUMAN, NETS, found_nets, net_name
from gobench_go.engines.presets import PRESETS

NAMES: Mapping[str, str] = {"katago-gtp": "katago"}
"""Presets that are called otherwise here."""
LEELA_FOLDERS = ("~/.local/share/leela-zero", "/usr/share/leela-zero", "/opt/homebrew/share/leela-zero")
KATAGO_SOURCE = "https://katagotraining.org/networks/"
HUMAN_SOURCE = "https://github.com/lightvector/KataGo/releases/tag/v1.15.0"
LEELA_SOURCE = "https://zero.sjeng.org/best-network"


def checks() -> Mapping[str, Check]:
    """Name -> check, the engines first."""
    engines = {NAMES.get(name, name): partial(engine, name) for name in PRESETS}
    nets = {"networks": katago_networks, "human-net": human_network, "leela-net": leela_networks}
    return {**engines, **nets}


def engine(name: str) -> Finding:
    """The program of a preset."""
    preset = PRESETS[name]
    place = program(preset.programs) or preset.program
    why = f"{preset.about}; {how_to_get(preset)}."
    return find_program(NAMES.get(name, name), Program((place,), preset.version, why, preset.says))


def katago_networks() -> Finding:
    """Networks of KataGo in the folders where people keep them."""
    found = [path for path in found_nets() if not _human(path)]
    return _nets(
        "networks",
        found,
        f"no network of KataGo (*.bin.gz): get one from {KATAGO_SOURCE} into {FOLDERS[0]}, or name its folder in {NETS}",
    )


def human_network() -> Finding:
    """The network that imitates people."""
    return _nets(
        "human-net",
        [path for path in found_nets() if _human(path)],
        f"no human model of KataGo: get {HUMAN}.bin.gz from {HUMAN_SOURCE} into {FOLDERS[0]}",
    )


def leela_networks() -> Finding:
    """Networks of Leela Zero, where a package or its user has put them."""
    inside = [Path(folder).expanduser() for folder in LEELA_FOLDERS]
    found = sorted(path for folder in inside for path in folder.glob("*") if path.is_file())
    return _nets(
        "leela-net", found, f"no network of Leela Zero: get one from {LEELA_SOURCE} into {LEELA_FOLDERS[0]}"
    )


def _human(path: Path) -> bool:
    return "human" in path.name.lower()


def _nets(name: str, found: Sequence[Path], absent: str) -> Finding:
    if not found:
        return Finding(name, "absent", absent)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return Finding(name, "ok", f"{', '.join(map(net_name, found[:3]))}{more} in {found[0].parent}")
