"""The doctor on this very installation, and on broken ones made for it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from gobench import doctor
from gobench.errors import UsageError


def only(name: str) -> doctor.Finding:
    (finding,) = doctor.examine(only=[name])
    assert finding.name == name
    return finding


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, code: str) -> None:
    """Put a module of that name before the real one, for this process and its children."""
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")


def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> Path:
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return path


def test_cheap_checks_work_here(tmp_path: Path) -> None:
    cheap = ["python", "machine", "disk", "extras", "video", "hub"]
    findings = doctor.examine(tmp_path / "not" / "yet" / "there", only=cheap)
    assert [f.name for f in findings] == cheap
    assert doctor.healthy(findings), findings
    by_name = {f.name: f for f in findings}
    assert "libx264" in by_name["video"].detail
    assert sys.executable in by_name["python"].detail
    assert json.loads(json.dumps(doctor.to_json(findings)))["ok"] is True
    assert len(doctor.lines(findings)) >= len(cheap)


@pytest.mark.slow
def test_everything_is_examined(tmp_path: Path) -> None:
    findings = doctor.examine(tmp_path)
    assert [f.name for f in findings] == doctor.names()
    assert {
        "python",
        "torch",
        "video",
        "numba",
        "datasets",
        "torchcodec",
        "chromium",
        "gnugo",
        "networks",
    } <= set(doctor.names())
    for finding in findings:
        assert finding.detail and finding.status in ("ok", "absent", "warn", "fail")
        assert finding.fix or finding.status in ("ok", "absent")


def test_unknown_check_is_named() -> None:
    with pytest.raises(UsageError, match=r"unknown check 'torhc'. Did you mean 'torch'"):
        doctor.examine(only=["torhc"])


def test_torchcodec_that_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "torchcodec", "raise OSError('libavutil.so.99: cannot open')")
    finding = only("torchcodec")
    assert finding.status == "fail" and "libavutil.so.99" in finding.detail
    assert "pip uninstall torchcodec" in finding.fix
    assert not doctor.healthy([finding])
    assert any("→ pip uninstall torchcodec" in line for line in doctor.lines([finding]))


def test_torchcodec_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, types; __version__ = '9.9'; __path__ = []\n"
    code += "sys.modules['torchcodec.decoders'] = types.SimpleNamespace(VideoDecoder=object)"
    stand_in(tmp_path, monkeypatch, "torchcodec", code)
    assert only("torchcodec").status == "ok"


def test_import_that_kills_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "torch", "import os; os.abort()")
    finding = only("torch")
    assert finding.status == "fail" and "signal 6" in finding.detail and "download.pytorch.org" in finding.fix


def test_import_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "huggingface_hub", "import time; time.sleep(60)")
    monkeypatch.setattr(doctor, "DEADLINE", 0.5)
    finding = only("hub")
    assert finding.status == "fail" and "no answer" in finding.detail


def test_optional_and_absent_or_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.util, "find_spec", lambda name: None)
    assert only("mujoco").status == "absent"
    assert "installed: none" in only("extras").detail
    monkeypatch.undo()
    stand_in(tmp_path, monkeypatch, "mujoco", "raise ImportError('no EGL')")
    finding = only("mujoco")
    assert finding.status == "warn" and "libegl1" in finding.fix


def test_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, monkeypatch, "chromium", "echo 'Chromium 120'; echo more")
    assert only("chromium") == doctor.Finding("chromium", "ok", f"Chromium 120 at {path}")
    path.write_text("#!/bin/sh\necho 'libncurses missing' >&2; exit 127\n")
    finding = only("chromium")
    assert finding.status == "warn" and "libncurses missing" in finding.detail
    monkeypatch.setenv("PATH", "")
    assert only("chromium").status == "absent"


def test_a_program_of_the_same_name_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program(tmp_path, monkeypatch, "pachi", "echo 'loading the Martian'; echo 'Pachi 12.86'")
    wanted = doctor.Program(("pachi",), ("--version",), "get it", says="PACHI ")
    assert doctor.find_program("pachi", wanted) == doctor.Finding("pachi", "ok", f"Pachi 12.86 at {path}")
    path.write_text("#!/bin/sh\necho 'the Martian'\n")
    finding = doctor.find_program("pachi", wanted)
    assert (finding.status, finding.fix) == ("warn", "get it") and "is another program" in finding.detail
    path.write_text("#!/bin/sh\nsleep 60\n")
    monkeypatch.setattr(doctor, "BRIEF", 0.3)
    assert "no answer" in doctor.find_program("pachi", wanted).detail


class Kitchen:
    """A domain that has something to look at."""

    def checks(self) -> dict[str, doctor.Check]:
        return {"oven": lambda: doctor.Finding("oven", "warn", "cold", "light it")}


class Broken:
    def checks(self) -> dict[str, doctor.Check]:
        raise RuntimeError("no kitchen")


def test_domains_add_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    domains = {"kitchen": Kitchen(), "broken": Broken(), "silent": object()}
    monkeypatch.setattr(doctor.registry, "installed", lambda kind: domains)
    monkeypatch.setattr(doctor.registry, "domain", domains.__getitem__)
    assert doctor.names()[-2:] == ["oven", "broken"]
    assert doctor.lines([only("oven")]) == ["warn    oven        cold", f"{'':<20}→ light it"]
    assert "RuntimeError: no kitchen" in only("broken").detail and doctor.healthy([only("broken")])


def test_disk_and_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = doctor.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        doctor.shutil, "disk_usage", lambda path: usage._replace(free=1 << 20, total=64 << 20)
    )
    assert only("disk").status == "fail"
    machine = only("machine")
    assert machine.status == "ok" or "/dev/shm" in machine.detail


def test_missing_and_old_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=1", "pillow>=999", "no-such-package>=1", "ray>=2; extra == 'ray'"]
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: wanted)
    finding = only("packages")
    assert finding.status == "fail"
    assert "no-such-package is missing" in finding.detail and ">=999" in finding.detail
    assert "ray" not in finding.detail
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    (target,) = re.findall(r"make (\S+?),", finding.fix)
    assert f"\n{target}:" in makefile, "the advice names a target that is there"


def test_a_check_that_fails_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> doctor.Finding:
        raise RuntimeError("odd")

    monkeypatch.setattr(doctor, "_machine", broken)
    findings = doctor.examine(only=["machine", "python"])
    assert [f.status for f in findings] == ["warn", "ok"] and "odd" in findings[0].detail
