"""Published attacks, one a file. The modules that begin with an underscore hold their arithmetic on arrays.

They take what an observer can count (rounds, times, sizes) and give scores or posteriors; nothing here reads
a run or knows the truth. A drop-in that turns a view into such arrays and the scores into a verdict stands
beside its arithmetic under the same name without the underscore. Ties stay ties: who breaks them does it at
random, or truth would leak into the score by the order of candidates (metrics 2c).
"""
