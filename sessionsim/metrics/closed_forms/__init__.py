"""What a simulation must come out at where the answer is known: formulas, one subject a module.

Nothing here draws a random number or reads a run. `sessionsim validate` computes its expected values here
and its measured values elsewhere, so that a mistake cannot be on both sides at once.
"""
