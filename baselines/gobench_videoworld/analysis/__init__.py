"""What the paper draws, from trained models: ``gobench analyze …``.

paper.py                       the paper's numbers
output.py, drawing.py          tables and pictures on disk; how pictures look
loading.py                     models, their training curves, results of evaluations
windows.py                     windows of a dataset as a model sees them, with states and actions
projection.py, patterns.py     codes in the plane; what a move looks like around its place
asking.py                      a model, changed or not, on a suite's own tasks
codes, imagine, intervene, failures, curves, seen, scaling    one analysis each: rows; NAME_plot.py draws them
ablations.py, ablate.py        the rows of an ablation; how they are trained, evaluated and kept

An analysis makes rows (plain tables) from models and data; nothing here prints.
"""
