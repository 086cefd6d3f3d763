"""What it costs, beside PyTorch and MyGrad where they are installed.

    python -m demos.benchmark                                  # all parts
    python -m demos.benchmark training --cases perceptron --kernels numba
    python -m demos.benchmark training --json new.json --plot new.png
    python -m demos.benchmark --compare old.json new.json

The libraries are in one process and take turns, with the same number of threads; figures are
medians. Ratios below 1 say that ndgrad is the faster, or the smaller.
"""
