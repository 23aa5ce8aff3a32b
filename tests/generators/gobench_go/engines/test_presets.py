"""Engines by name: what is run, what is said where it is not there. Programs are stand-ins in a folder of their own."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from gobench.errors import UsageError
from gobench_go.engines import commands
from gobench_go.engines.commands import EngineCommand, engine_command, engine_seed
from gobench_go.engines.presets import DATA, FIXED, LARGEST_SEED, PRESETS, SEED


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH, with every program of the table, and a network in it."""
    for preset in PRESETS.values():
        path = tmp_path / preset.program
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    (tmp_path / "net.bin.gz").write_bytes(b"net")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def words(text: str) -> list[str]:
    return list(engine_command(text).argv[1:])


def test_gnu_go(programs: Path) -> None:
    found = engine_command("gnugo:7")
    assert found.argv[0] == str(programs / "gnugo") and found.name == "gnugo:7" and found.seeded
    assert found.argv[1:7] == ("--mode", "gtp", "--level", "7", "--seed", "{seed}")
    assert found.argv_for(2**64 - 1)[6] == str(engine_seed(2**64 - 1))
    assert found.public.startswith("gnugo --mode gtp --level 7 --seed {seed} --chinese-rules")


def test_seeds_are_what_engines_read() -> None:
    seeds = [engine_seed(seed) for seed in (0, 1, LARGEST_SEED - 1, LARGEST_SEED, 2**64 - 1)]
    assert seeds[:4] == [1, 2, LARGEST_SEED, 1] and all(1 <= seed < 2**31 for seed in seeds)


def test_pachi_and_leela_zero(programs: Path) -> None:
    assert words("pachi:5000")[:2] == ["-t", "=5000"] and "threads=1,pass_all_alive" in words("pachi:5000")
    net = programs / "net.bin.gz"
    found = engine_command(f"leela-zero:{net}@50")
    assert found.argv[2:6] == ("--weights", str(net), "--playouts", "50")
    assert found.name == "leela-zero:net.bin.gz@50" and str(programs) not in found.public
    assert "400" in words(f"leela-zero:{net}")
    assert list(found.hashes()) == ["net.bin.gz"]


def test_katago(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = words(f"katago-gtp:{programs / 'net.bin.gz'}")
    assert plain[:3] == ["gtp", "-model", str(programs / "net.bin.gz")]
    assert plain[plain.index("-config") + 1] == str(DATA.joinpath("katago_gtp.cfg"))
    settings = plain[plain.index("-override-config") + 1]
    assert "friendlyPassOk=false" in settings and "numSearchThreads=1" in settings
    assert settings.count(SEED) == 2 and "{" not in settings.replace(SEED, "")
    monkeypatch.setenv("GOBENCH_NETS", str(programs))
    (programs / "b18c384nbt-humanv0.bin.gz").write_bytes(b"people")
    (programs / "my.cfg").write_text("maxVisits = 3\n")
    found = engine_command(f"katago-gtp:net@{programs / 'my.cfg'}?visits=12&profile=rank_5k")
    assert found.name == "katago-gtp:net@my.cfg?visits=12&profile=rank_5k"
    text = " ".join(found.argv)
    assert "maxVisits=12" in text and "humanSLProfile=rank_5k,humanSLChosenMoveProp=1.0" in text
    assert f"-human-model {programs / 'b18c384nbt-humanv0.bin.gz'}" in text
    assert sorted(found.hashes()) == ["b18c384nbt-humanv0.bin.gz", "my.cfg", "net.bin.gz"]
    assert str(programs) not in found.public


def test_any_command(programs: Path) -> None:
    script = programs / "engine.py"
    script.write_text("1")
    found = engine_command(f"gtp:gnugo {script} --seed={{seed}} 'a b' $HOME ; touch x")
    assert found.argv[1:] == (str(script), "--seed={seed}", "a b", "$HOME", ";", "touch", "x")
    assert found.name == "gtp:gnugo engine.py --seed={seed} 'a b' '$HOME' ';' touch x" and found.seeded
    before = found.hashes()
    script.write_text("22")
    assert list(before) == ["engine.py"] and found.hashes() != before
    option = engine_command(f"gtp:gnugo --infile={script} --level 3")
    assert option.public == "gnugo --infile=engine.py --level 3" and list(option.hashes()) == ["engine.py"]


def test_no_folder_of_this_machine_is_in_a_name(programs: Path) -> None:
    found = engine_command(f"gtp:gnugo KEY={programs}/x --set a={programs}/y,b={programs}/z {programs}/")
    assert found.name == f"gtp:gnugo KEY=x --set a=y,b=z {programs.name}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gnugo:0", "write gnugo:LEVEL with a level from 1 to 10"),
        ("gnugo:11", "write gnugo:LEVEL"),
        ("gnugo", "write gnugo:LEVEL"),
        ("pachi:-5", "write pachi:PLAYOUTS"),
        ("pachi:5 --x", "write pachi:PLAYOUTS"),
        ("leela-zero:none.gz", "there is no file 'none.gz'"),
        ("katago-gtp:none", "there is no network 'none'"),
        ("katago-gtp:none?visits=0", "write katago-gtp:MODEL"),
        ("katago-gtp:none?profile=rank_30k", "write katago-gtp:MODEL"),
        ("gtp:", "needs a command"),
        ("gtp:no-such-program --gtp", "no program 'no-such-program' here"),
        ("gtp:'gnugo", "quotes do not match"),
        ("gnugoo:1", "unknown engine 'gnugoo:1'"),
    ],
)
def test_what_cannot_be(programs: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        engine_command(text)


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_not_here_says_how_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    preset, example = PRESETS[name], {"gnugo": "3", "pachi": "9"}.get(name, "net.gz")
    monkeypatch.setattr(commands, "program", lambda names: None)
    with pytest.raises(UsageError, match=rf"there is no {preset.program} on the PATH: ") as error:
        engine_command(f"{name}:{example}")
    assert commands.how_to_get(preset) in str(error.value)
    monkeypatch.setattr(commands.sys, "platform", "darwin")
    assert commands.how_to_get(preset) == preset.get["macos"]
    assert set(preset.get) == {"debian", "macos", "other"}


@pytest.mark.parametrize("name", PRESETS)
def test_every_placeholder_is_known(name: str) -> None:
    preset = PRESETS[name]
    groups = set(re.compile(preset.pattern).groupindex)
    known = groups | set(FIXED) | {"seed", "human"}
    every = [*preset.arguments, *sum(preset.more.values(), ()), *sum(preset.unless.values(), ())]
    named = {
        key for word in (*every, *FIXED.values()) for _, key, _, _ in string.Formatter().parse(word) if key
    }
    assert named - known <= {"profile"} or not named - known
    assert {*preset.files, *preset.nets, *preset.defaults, *preset.more, *preset.unless} <= groups
    assert any(SEED in word for word in (*every, *FIXED.values()))
    assert EngineCommand("x", tuple(every)).start > 0


def test_the_config_of_katago_says_no_thing_twice() -> None:
    lines = [line for line in DATA.joinpath("katago_gtp.cfg").read_text().splitlines() if "=" in line]
    keys = [line.partition("=")[0].strip() for line in lines]
    assert len(keys) == len(set(keys)) and "logDir" not in keys and "rules" not in keys
