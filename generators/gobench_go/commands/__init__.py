"""The commands of the room, under ``gobench go``; whatever is heavy is imported when a command runs."""

from gobench_go.commands.counting import count_positions, perft
from gobench_go.commands.gtp import gtp
from gobench_go.commands.judging import judge
from gobench_go.commands.matches import match
from gobench_go.commands.pictures import read, render
from gobench_go.commands.play import play
from gobench_go.commands.rating import elo

COMMANDS = [perft, count_positions, render, read, judge, match, elo, gtp, play]
