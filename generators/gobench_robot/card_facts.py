"""What the cards of robot datasets say that the core cannot know: licence, scenes, command line flags."""

from __future__ import annotations

from collections.abc import Mapping

from gobench.types import Domain, Json, Record
from gobench_robot.catalogue import task
from gobench_robot.sources.record import EXPERT

FLAGS = ("size", "camera", "label_fraction")
PLACE = "YOUR-DATA"


def card_facts(domain: Domain, manifest: Mapping[str, Json]) -> Record:
    """``license`` and ``flags`` of a dataset, as ``gobench.card.facts`` takes them; ``scenes`` for the template."""
    config = manifest["config"]
    options = config["options"]
    before = domain.configure(domain.recipes().get(config["recipe"], {}).get("options", {}))
    flags = {key: options[key] for key in FLAGS if options[key] != before[key]}
    if options["reader"]:
        flags["data"] = PLACE
    scenes = {task(name).scene for s in options["sources"] if s["kind"] == EXPERT for name in s["tasks"]}
    return {
        "license": "other" if options["reader"] else "cc0-1.0",
        "flags": flags,
        "scenes": sorted(scenes),
    }
