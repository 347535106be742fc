"""How the learning rate goes, in the lifter's training and in that of the web page's."""

import math


def learning_rate_share(step: int, steps: int, warm_up: int = 200) -> float:
    """Part of the full rate at ``step`` of ``steps``: it rises over ``warm_up`` steps, then falls along a cosine to a
    hundredth."""
    warm = min(1.0, (step + 1) / warm_up)
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
