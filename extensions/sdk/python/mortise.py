"""What a Mortise extension in Python shares: the binding's config, SKU attributes, and integer money. The types of a
point are those that componentize-py makes of its WIT, such as `wit_world.exports.pricing`."""

import functools
import io
import json
import sys
from dataclasses import dataclass

from componentize_py_types import Err


class _Nowhere(io.TextIOBase):
    """Where a print goes: there is no file behind it, and a rule is not to fail for one."""

    def write(self, text: str) -> int:
        return len(text)


sys.stdout = sys.stderr = _Nowhere()


def configured(answer):
    """A point's function, from one that takes the binding's config as a dict. What it raises becomes its answer "none,
    for this reason"; the binding says whether the trade is then refused or goes on without it."""

    @functools.wraps(answer)
    def asked(self, config: str, question):
        try:
            return answer(self, json.loads(config or "{}"), question)
        except Err:
            raise
        except KeyError as error:
            raise Err(f"config: {error} is not set") from error
        except Exception as error:
            raise Err(f"{type(error).__name__}: {error}") from error

    return asked


def attribute(line, name: str) -> str | None:
    """The value of a SKU attribute that the manifest asks for."""
    return next((pair.value for pair in line.attributes if pair.name == name), None)


@dataclass(frozen=True)
class Price:
    """An amount in minor units for so many units: "3 for 5.00" is Price(500, 3)."""

    amount: int
    per: int

    def less(self, rate_bp: int) -> "Price":
        """This price less a rate in basis points (500 is 5%), to the nearest minor unit, halves up."""
        return Price(rate_of(self.amount, 10_000 - rate_bp), self.per)

    def is_below(self, other: "Price") -> bool:
        """Cheaper for each unit than the other, exactly: 500 for 3 is below 167 for 1."""
        return self.amount * other.per < other.amount * self.per


def rate_of(amount: int, rate_bp: int) -> int:
    """A rate in basis points of an amount, rounded half up (away from zero for negative amounts)."""
    product = amount * rate_bp
    rounded = (abs(product) + 5_000) // 10_000
    return -rounded if product < 0 else rounded


def percent(rate_bp: int) -> str:
    """A rate as people write it: 500 is "5%", 1250 is "12.5%"."""
    sign, (whole, rest) = ("-" if rate_bp < 0 else ""), divmod(abs(rate_bp), 100)
    return f"{sign}{whole}" + (f".{rest:02}".rstrip("0") if rest else "") + "%"
