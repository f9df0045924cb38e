"""A ratio of two times: its value, its interval, and its words."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Time over a baseline's, with its interval."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether anything can be said; if not, the interval has no ends."""
        return self.low > 0 and self.high < math.inf

    @property
    def called(self) -> bool:
        """Whether it is a difference: the interval does not contain 1."""
        return not self.low <= 1 <= self.high

    @property
    def inverse(self) -> "Ratio":
        return Ratio(1 / self.value, 1 / self.high, 1 / self.low if self.low else math.inf)

    def over(self, other: "Ratio") -> "Ratio":
        """The quotient of two independent ratios."""
        value, below, above = (math.log(self.value / other.value), *map(math.hypot, self.sides, reversed(other.sides)))
        return Ratio(math.exp(value), math.exp(value - below), math.exp(value + above))

    @property
    def sides(self) -> tuple[float, float]:
        """How far the interval reaches below and above, in logarithms."""
        low, high = (math.log(end) if 0 < end < math.inf else math.inf for end in (self.low, self.high))
        value = math.log(self.value)
        return abs(value - low), abs(high - value)

    @property
    def short(self) -> str:
        """``1.34x``, ``tie`` or ``not known``."""
        return f"{self.value:.2f}x" if self.called else "tie" if self.known else "not known"

    @property
    def text(self) -> str:
        """``1.34x [1.29, 1.40]``, ``tie (1.01x [0.98, 1.04])``, or ``not known (1.34x)``."""
        if not self.known:
            return f"not known ({self.value:.2f}x)"
        interval = f"{self.value:.2f}x [{self.low:.2f}, {self.high:.2f}]"
        return interval if self.called else f"tie ({interval})"
