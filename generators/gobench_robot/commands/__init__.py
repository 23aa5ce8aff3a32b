"""The commands of the room, under ``gobench robot``; whatever is heavy is imported when a command runs."""

from gobench_robot.commands.inverse import inverse

COMMANDS = [inverse]
