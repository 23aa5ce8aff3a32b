"""Engines that can be named: what they are called on disk, how they are started, and how to get them.

============================  ======================================================================================
``gnugo:LEVEL``               GNU Go, levels 1 to 10
``pachi:PLAYOUTS``            Pachi without its network, a fixed number of playouts a move
``leela-zero:NETWORK``        Leela Zero; ``@PLAYOUTS`` behind it, else 400. A build plays one board size, mostly 19x19
``katago-gtp:MODEL``          KataGo's GTP engine; ``?visits=N`` behind it, else 100; ``?profile=rank_5k`` imitates
                              people of that rank with the human model; ``@CONFIG`` before that brings settings
``gtp:COMMAND``               any command line that speaks GTP, split as a shell would, run without one
============================  ======================================================================================

``{seed}`` in a command stands for a number from 1 to 2**31 - 1 that follows from a game's seed: GNU Go takes 0 for
the time of day, and others read 31 bits. An engine whose command has it gets a new process for each game, so that a
game follows from engine, seed and opening alone. GNU Go in a process that has played before plays differently than in
a new one of the same seed (and the same again after ``set_random_seed``); starting it takes 10 ms.

All are pinned to one thread: two threads of a search make other moves each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType

from gobench_go.engines.nets import PROFILE

SEED = "{seed}"
ONE_THREAD: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
    )
)
"""Set for every engine: what libraries behind it would else take all cores for."""
LARGEST_SEED = 2**31 - 1
START = 60.0  # seconds until an engine's first answer


@dataclass(frozen=True, slots=True)
class Preset:
    """An engine of the table.

    ``{…}`` in arguments are the named groups of ``pattern``, the seed, or a file of
    ``engines/data``; ``files`` names the groups that are files and must be there.
    """

    about: str
    programs: tuple[str, ...]  # as ``find.program`` takes them
    arguments: tuple[str, ...]
    write: str  # how its name is written
    pattern: str  # of what stands behind the colon
    version: tuple[str, ...]  # arguments that make it print its version
    says: str  # a part of what it prints then, in any case
    get: Mapping[str, str]  # "debian", "macos", "other" -> how to get it
    defaults: Mapping[str, str] = field(default_factory=dict)  # of groups that may be left out
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # arguments for a group that is given
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # and for one that is not
    files: tuple[str, ...] = ()
    nets: tuple[str, ...] = ()
    start: float = START

    @property
    def program(self) -> str:
        """What its program is called."""
        return next(word for word in self.programs if not word.startswith("$"))


DATA = files("gobench_go.engines").joinpath("data")

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "gnugo": Preset(
            about="an opponent of club players' strength",
            programs=("gnugo",),
            arguments=(
                *("--mode", "gtp", "--level", "{level}", "--seed", SEED, "--chinese-rules"),
                *("--positional-superko", "--capture-all-dead", "--play-out-aftermath", "--never-resign"),
            ),
            write="gnugo:LEVEL with a level from 1 to 10, such as gnugo:10",
            pattern=r"(?P<level>[1-9]|10)",
            version=("--version",),
            says="gnu go",
            get={
                "debian": "apt install gnugo (it lands in /usr/games)",
                "macos": "brew install gnu-go",
                "other": "get it from https://www.gnu.org/software/gnugo/ and put it on the PATH",
            },
        ),
        "pachi": Preset(
            about="a strong Monte Carlo search, used without a network",
            programs=("pachi",),
            arguments=(
                *("-t", "={playouts}", "--nodcnn", "--rules", "chinese", "--seed", SEED, "-d", "0"),
                "threads=1,pass_all_alive",
            ),
            write="pachi:PLAYOUTS, such as pachi:5000",
            pattern=r"(?P<playouts>[1-9]\d{0,6})",
            version=("--version",),
            says="pachi",
            get={
                "debian": "get it from https://github.com/pasky/pachi/releases and put it on the PATH (Ubuntu: "
                "pachi-go from ppa:lemonsqueeze/pachi; Debian's own package pachi is another program)",
                "macos": "build it from https://github.com/pasky/pachi and put it on the PATH",
                "other": "get it from https://github.com/pasky/pachi/releases and put it on the PATH",
            },
        ),
        "leela-zero": Preset(
            about="a network for one board size, mostly 19x19",
            programs=("leelaz",),
            arguments=(
                *("--gtp", "--weights", "{network}", "--playouts", "{playouts}", "--noponder"),
                *("--timemanage", "off", "--threads", "1", "--seed", SEED, "--dumbpass"),
            ),
            write="leela-zero:NETWORK or leela-zero:NETWORK@PLAYOUTS, such as leela-zero:best-network.gz@400",
            pattern=r"(?P<network>[^@]+)(?:@(?P<playouts>[1-9]\d{0,6}))?",
            version=("--help",),
            says="leela zero",
            defaults={"playouts": "400"},
            files=("network",),
            get={
                "debian": "apt install leela-zero, and a network from https://zero.sjeng.org (the package has none)",
                "macos": "brew install leela-zero",
                "other": "get it from https://github.com/leela-zero/leela-zero/releases and put it on the PATH",
            },
            start=180.0,
        ),
        "katago-gtp": Preset(
            about="the strongest judge and opponent",
            programs=("$GOBENCH_KATAGO", "katago"),
            arguments=("gtp", "-model", "{model}", "-override-config", "{rules},{single}"),
            write="katago-gtp:MODEL[@CONFIG][?visits=N&profile=RANK] with a network, perhaps a config of KataGo's GTP "
            "engine, and people to imitate, such as katago-gtp:b6.bin.gz?visits=200 or "
            "katago-gtp:b6.bin.gz?profile=rank_5k",
            pattern=r"(?P<model>[^@?]+)(?:@(?P<config>[^?]+))?"
            rf"(?:\?(?:visits=(?P<visits>[1-9]\d{{0,6}}))?&?(?:profile=(?P<profile>{PROFILE}))?)?",
            version=("version",),
            says="katago",
            more={
                "config": ("-config", "{config}"),
                "visits": ("-override-config", "maxVisits={visits}"),
                "profile": (
                    *("-human-model", "{human}"),
                    *("-override-config", "humanSLProfile={profile},{people}"),
                ),
            },
            unless={"config": ("-config", "{own}")},
            nets=("model",),
            files=("config",),
            get={
                "debian": "get it from https://github.com/lightvector/KataGo/releases and put it on the PATH",
                "macos": "brew install katago",
                "other": "get it from https://github.com/lightvector/KataGo/releases and put it on the PATH",
            },
            start=600.0,  # the first start on a graphics card measures it
        ),
    }
)

FIXED: Mapping[str, str] = MappingProxyType(
    {
        "own": str(DATA.joinpath("katago_gtp.cfg")),
        "rules": "koRule=POSITIONAL,scoringRule=AREA,taxRule=NONE,multiStoneSuicideLegal=false,hasButton=false,"
        "whiteHandicapBonus=0,friendlyPassOk=false",
        "single": "numSearchThreads=1,numEigenThreadsPerModel=1,ponderingEnabled=false,"
        f"searchRandSeed={SEED},nnRandSeed={SEED}",
        "people": "humanSLChosenMoveProp=1.0,humanSLChosenMoveIgnorePass=true,"
        "humanSLChosenMovePiklLambda=100000000,chosenMoveTemperatureEarly=0.85,chosenMoveTemperature=0.70,"
        "chosenMoveTemperatureHalflife=80,chosenMoveTemperatureOnlyBelowProb=0.01,chosenMoveSubtract=0,"
        "chosenMovePrune=0,rootNumSymmetriesToSample=2,useLcbForSelection=false,winLossUtilityFactor=1.0,"
        "staticScoreUtilityFactor=0.30,dynamicScoreUtilityFactor=0.0,useUncertainty=false,"
        "subtreeValueBiasFactor=0.0,useNoisePruning=false,ignorePreRootHistory=false",
    }
)
"""What else arguments may name. The rules are the benchmark's; a whole human move is drawn as people play it."""
