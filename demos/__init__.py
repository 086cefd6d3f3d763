"""Programs that show what the library does; start one with ``python -m demos.NAME``."""

from importlib.util import find_spec

MODULES = ("matplotlib", "sklearn", "threadpoolctl", "tqdm")

if missing := [module for module in MODULES if find_spec(module) is None]:
    raise ImportError(
        f"the demos need {', '.join(missing)}; install what they need with: "
        'pip install -e ".[demos]"',
        name=__name__,  # so that `python -m` shows this one line and no traceback
    )
