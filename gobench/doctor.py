"""What is installed, what works, and how to mend what does not.

Whatever might crash, hang or print is tried in a child process with a deadline: a broken library must not
take the doctor with it. A probe is a few lines of Python that print what was found, or fail.

A domain adds what only it needs, such as engines that play its game: ``checks()`` gives names and functions that return
a ``Finding``. ``find_program`` makes one of a program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata, util
from pathlib import Path
from typing import Literal, TypeAlias

from gobench import registry
from gobench.errors import unknown
from gobench.types import Json
from gobench.workers import cores

Status = Literal["ok", "absent", "warn", "fail"]
DISTRIBUTION = "video-gobench"
OLDEST_PYTHON = (3, 11)
DEADLINE = 90.0  # seconds; the first import of torch on a cold disk takes long
BRIEF = 15.0  # seconds for a program to say its version
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    ``status``: "ok" works; "absent" is optional and not there; "warn" works in part or is optional and
    broken; "fail" is needed and broken.
    """

    name: str
    status: Status
    detail: str
    fix: str = ""


Check: TypeAlias = Callable[[], Finding]


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is looked for and asked for its version."""

    places: tuple[str, ...]  # names on the PATH, or paths
    arguments: tuple[str, ...]  # with which it prints its version and ends
    why: str  # what it is for, and how to get it
    says: str = ""  # a part of what it prints, in any case: another program may have its name


@dataclass(frozen=True, slots=True)
class Probe:
    """Python to run in a child: prints one line that says what it found, or raises."""

    code: str
    fix: str
    module: str = ""  # an optional module: "absent" where it is not installed
    absent: str = ""  # what is said then
    broken: Status = "fail"  # status when the code raises
    environment: tuple[tuple[str, str], ...] = ()


PROBES: dict[str, Probe] = {
    "torch": Probe(
        "import torch; torch.ones(8, 8) @ torch.ones(8, 8)\n"
        "gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else 'no GPU, which is enough'\n"
        "print(f'{torch.__version__}, {torch.get_num_threads()} threads, {gpu}')",
        "reinstall it: pip install --force-reinstall torch, without a GPU with "
        "--index-url https://download.pytorch.org/whl/cpu. Only models and the torch loaders need it.",
    ),
    "video": Probe(
        "import io, av, numpy as np\n"
        "frames = np.zeros((8, 64, 64, 3), np.uint8); frames[4:] = 200; file = io.BytesIO()\n"
        "with av.open(file, 'w', format='mp4') as out:\n"
        "    stream = out.add_stream('libx264', rate=4); stream.width = stream.height = 64\n"
        "    for f in frames: out.mux(stream.encode(av.VideoFrame.from_ndarray(f, format='rgb24')))\n"
        "    out.mux(stream.encode())\n"
        "file.seek(0)\n"
        "with av.open(file) as back: seen = [f.to_ndarray(format='rgb24') for f in back.decode(video=0)]\n"
        "assert len(seen) == 8 and abs(int(seen[7].mean()) - 200) < 8, 'decoded frames differ'\n"
        "print(f'PyAV {av.__version__} encodes with libx264 and decodes')",
        "pip install --force-reinstall av (the wheels from PyPI bring libx264; a distribution's may not).",
    ),
    "numba": Probe(
        "import numba, gobench.clips as c, numpy as np\n"
        "c.ArrayClip(np.zeros((2, 16, 16, 3), np.uint8)).damage()\n"
        "where = getattr(getattr(c._compare, '_cache', None), 'cache_path', 'nowhere')\n"
        "print(f'{numba.__version__} compiles, cache in {where}')",
        "set NUMBA_CACHE_DIR to a folder you may write; if numba itself is broken: "
        "pip install --force-reinstall numba numpy.",
    ),
    "datasets": Probe(
        "import datasets; from datasets import Features, Image, Value, Video\n"
        "Features({'mp4': Video(decode=False), 'png': Image(), 'json': {'moves': [Value('int32')]}})\n"
        "print(f'{datasets.__version__} with the Video feature')",
        "pip install -U datasets",
    ),
    "torchcodec": Probe(
        "import torchcodec; from torchcodec.decoders import VideoDecoder\n"
        "print(f'{torchcodec.__version__} loads; datasets decodes videos with it')",
        "pip uninstall torchcodec. datasets only looks whether it is installed, so while it does not load, "
        "every dataset with a video column breaks. Nothing here needs it: PyAV decodes.",
        module="torchcodec",
        absent="not installed, and not needed: PyAV decodes",
    ),
    "hub": Probe(
        "import huggingface_hub as h\n"
        "who = 'a token is saved' if h.get_token() else 'no token: publishing asks for `hf auth login`'\n"
        "print(f'huggingface_hub {h.__version__}, {who}')",
        "pip install -U huggingface_hub",
    ),
    "rooms": Probe(
        "from gobench import registry\n"
        "names = list(registry.installed('domains')); [registry.domain(n) for n in names]\n"
        "assert names, 'no domain is installed'\n"
        "print('domains: ' + ', '.join(names))",
        "install the package so that its entry points are seen: pip install -e . in a checkout.",
    ),
    "mujoco": Probe(
        "import mujoco\n"
        'm = mujoco.MjModel.from_xml_string(\'<mujoco><worldbody><light pos="0 0 3"/>'
        '<geom size="1"/></worldbody></mujoco>\')\n'
        "d = mujoco.MjData(m); mujoco.mj_forward(m, d)\n"
        "r = mujoco.Renderer(m, 32, 32); r.update_scene(d); assert r.render().any(), 'the picture is black'\n"
        "import os; print(f\"{mujoco.__version__} draws with {os.environ['MUJOCO_GL']}\")",
        "on Debian and Ubuntu: apt install libegl1 libgl1-mesa-dri, and MUJOCO_GL=egl (or libosmesa6 and "
        "MUJOCO_GL=osmesa).",
        module="mujoco",
        absent="not installed: only robot domains draw with it",
        broken="warn",
        environment=(("MUJOCO_GL", os.environ.get("MUJOCO_GL", "egl")),),
    ),
}

EXTRAS = {
    "robot": ("mujoco", "gymnasium"),
    "metaworld": ("metaworld",),
    "ray": ("ray",),
    "plots": ("matplotlib",),
    "analysis": ("matplotlib", "umap"),
    "bench": ("matplotlib", "pyspiel"),
    "dev": ("pytest", "mypy", "mlcroissant", "hypothesis"),
}

PROGRAMS = {
    "chromium": Program(
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        ("--version",),
        "only tests open pages with it. Debian: apt install chromium.",
    ),
}


def names() -> list[str]:
    """Everything that can be examined, in the order of the report."""
    return list(_checks(Path()))


def examine(folder: Path | str = ".", only: Iterable[str] | None = None) -> list[Finding]:
    """Run all checks, or those named in ``only``; ``folder`` is where datasets will be written.

    Never raises for what it finds. Raises UsageError for a name that is not a check.
    """
    checks = _checks(Path(folder))
    wanted = list(checks) if only is None else list(only)
    for name in wanted:
        if name not in checks:
            raise unknown("check", name, checks)
    with ThreadPoolExecutor(max_workers=max(2, (os.cpu_count() or 2) // 2)) as pool:
        return list(pool.map(lambda name: _run(name, checks[name]), wanted))


def healthy(findings: Sequence[Finding]) -> bool:
    """True unless something that is needed is broken."""
    return all(f.status != "fail" for f in findings)


def to_json(findings: Sequence[Finding]) -> Json:
    """The report as plain data."""
    return {"ok": healthy(findings), "findings": [asdict(f) for f in findings]}


def lines(findings: Sequence[Finding]) -> list[str]:
    """The report for a terminal: a line each, and what to do below what needs doing."""
    out = []
    for f in findings:
        out.append(f"{f.status:<6}  {f.name:<10}  {f.detail}")
        if f.fix and f.status in ("warn", "fail"):
            out.append(f"{'':<20}→ {f.fix}")
    return out


def find_program(name: str, program: Program) -> Finding:
    """Whether a program is there, starts, is the one that is meant, and which version it is."""
    path = next((found for place in program.places if (found := shutil.which(place))), None)
    if path is None:
        return Finding(name, "absent", f"not found: {program.why}")
    worked, text = _child([path, *program.arguments], deadline=BRIEF)
    if not worked:
        return Finding(name, "warn", f"{path} does not start: {text.splitlines()[-1][:200]}", program.why)
    said = [line.strip() for line in text.splitlines() if program.says.lower() in line.lower()]
    if not said:
        return Finding(name, "warn", f"{path} is another program: {text.splitlines()[0][:80]}", program.why)
    return Finding(name, "ok", f"{said[0][:80]} at {path}")


def _checks(folder: Path) -> dict[str, Check]:
    return {
        "python": _python,
        "packages": _packages,
        "machine": _machine,
        "disk": partial(_disk, folder),
        **{name: partial(_probe, name, probe) for name, probe in PROBES.items()},
        "extras": _extras,
        **{name: partial(find_program, name, program) for name, program in PROGRAMS.items()},
        **_of_domains(),
    }


def _of_domains() -> dict[str, Check]:
    """What installed domains check; one that does not load fails as a check of its name."""
    found: dict[str, Check] = {}
    for name in registry.installed("domains"):
        try:
            own: Mapping[str, Check] = getattr(registry.domain(name), "checks", dict)()
        except Exception as error:  # anything may go wrong in the code of others
            found[name] = partial(
                Finding, name, "warn", f"its checks cannot be read: {type(error).__name__}: {error}"
            )
            continue
        found.update({key: check for key, check in own.items() if key not in found})
    return found


def _run(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # one bad check must not hide the others
        return Finding(name, "warn", f"could not be checked: {type(error).__name__}: {error}")


def _child(
    command: Sequence[str], environment: tuple[tuple[str, str], ...] = (), deadline: float | None = None
) -> tuple[bool, str]:
    """(worked, its output or what went wrong). Never raises, never outlives the deadline."""
    env, deadline = {**os.environ, **dict(environment)}, deadline or DEADLINE
    try:
        ran = subprocess.run(
            command,
            env=env,
            timeout=deadline,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except subprocess.TimeoutExpired:
        return False, f"gave no answer in {deadline:.0f} s"
    except OSError as error:
        return False, str(error)
    if ran.returncode < 0:
        return False, f"crashed with signal {-ran.returncode}"
    text = (ran.stdout if ran.returncode == 0 else ran.stderr or ran.stdout).strip()
    return ran.returncode == 0, text or f"exit code {ran.returncode}"


def _probe(name: str, probe: Probe) -> Finding:
    if probe.module and util.find_spec(probe.module) is None:
        return Finding(name, "absent", probe.absent)
    worked, text = _child([sys.executable, "-c", probe.code], probe.environment)
    text = text.splitlines()[-1][:300]
    return Finding(name, "ok", text) if worked else Finding(name, probe.broken, text, probe.fix)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", "fail", version, "use Python 3.11 or newer")
    return Finding("python", "ok", f"{version} at {sys.executable}")


def _packages() -> Finding:
    """Every dependency there, in a version that is allowed."""
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or ()]
    except metadata.PackageNotFoundError:
        return Finding(
            "packages", "fail", f"{DISTRIBUTION} is not installed", "pip install -e . in a checkout"
        )
    bad = [text for need in wanted if not need.marker and (text := _complaint(need))]
    if bad:
        return Finding(
            "packages",
            "fail",
            "; ".join(bad),
            "in a checkout: make quickstart, or pip install -c constraints.txt -e .",
        )
    return Finding("packages", "ok", f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)} and what it needs")


def _complaint(need: Json) -> str:
    try:
        have = metadata.version(need.name)
    except metadata.PackageNotFoundError:
        return f"{need.name} is missing"
    return (
        ""
        if need.specifier.contains(have, prereleases=True)
        else f"{need.name} {have} is not {need.specifier}"
    )


def _machine() -> Finding:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    shared = shutil.disk_usage("/dev/shm").total if Path("/dev/shm").is_dir() else GIB
    detail = f"{cores()} cores, {memory:.1f} GiB memory"
    if shared < GIB // 4:
        small = f"{detail}, only {shared >> 20} MiB of /dev/shm"
        return Finding(
            "machine", "warn", small, "loader workers share batches there: docker run --shm-size=2g"
        )
    return Finding("machine", "ok", detail)


def _disk(folder: Path) -> Finding:
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free / GIB
    detail = f"{free:.1f} GiB free at {folder}"
    if not os.access(there, os.W_OK):
        return Finding(
            "disk", "fail", f"{there} cannot be written", "choose another --out, or mend its rights"
        )
    if free < 1:
        return Finding(
            "disk", "fail" if free < 0.1 else "warn", detail, "free some space; go9-tiny takes 0.2 GiB"
        )
    return Finding("disk", "ok", detail)


def _extras() -> Finding:
    have = [name for name, modules in EXTRAS.items() if all(map(util.find_spec, modules))]
    lack = [name for name in EXTRAS if name not in have]
    detail = f"installed: {', '.join(have) or 'none'}; not installed: {', '.join(lack) or 'none'}"
    return Finding(
        "extras", "ok", detail, "in a checkout: pip install -c constraints.txt -e '.[NAME]'" if lack else ""
    )
