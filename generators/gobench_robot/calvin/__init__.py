"""CALVIN's own environment and task oracle (Mees et al., RA-L 2022), in the Python in which the user has installed them.

    tasks.py   what is asked, and how an episode begins: tables and arithmetic
    server.py  the program that CALVIN's Python runs: resets, steps, pictures, verdicts, behind a pipe
    world.py   the scene "calvin" of this room, as ``gobench_robot.envs.world.World``, and where CALVIN is
    suite.py   the suite "calvin-paper": single steps as in VideoWorld, which is not CALVIN's long-horizon protocol

Nothing of CALVIN is shipped or imported here. docs/robot-calvin.md tells how to set it up, and what was tried.
"""
