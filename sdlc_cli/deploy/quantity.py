"""Amounts of cpu and memory as Kubernetes writes them: `250m`, `1.5`, `512Mi`, `2G`."""

import math
import re
from decimal import Decimal

# Decimal and binary suffixes of
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
SIZES = {
    "": 1,
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
CPU_PATTERN = r"^(?:[0-9]{1,7}m|[0-9]{1,4}(?:\.[0-9]{1,3})?)$(?!\n)"
SIZE_PATTERN = r"^[0-9]{1,15}(?:\.[0-9]{1,3})?(?:[kMGT]|[KMGT]i)?$(?!\n)"


def read_cpu(text: str) -> int:
    """`"250m"` and `"0.25"` cpus as 250 thousandths. Raises ValueError."""
    if not re.search(CPU_PATTERN, text):
        raise ValueError(f"not an amount of cpu: {text!r}")
    return int(text[:-1]) if text.endswith("m") else int(Decimal(text) * 1000)


def read_size(text: str) -> int:
    """`"512Mi"` as bytes, a part of a byte rounded up. Raises ValueError."""
    if not re.search(SIZE_PATTERN, text):
        raise ValueError(f"not a size: {text!r}")
    number = text.rstrip("kKMGTi")
    return math.ceil(Decimal(number) * SIZES[text[len(number) :]])


def cpu(millicores: int) -> str:
    """250 as `250m`, 2000 as `2`: the way the API server writes it back."""
    whole, rest = divmod(millicores, 1000)
    return f"{millicores}m" if rest else str(whole)


def size(number: int) -> str:
    """Bytes in the unit that says them exactly with the fewest digits; binary ones first."""
    units = ("Ti", "Gi", "Mi", "Ki", "T", "G", "M", "k", "")
    exact = [unit for unit in units if number and number % SIZES[unit] == 0]
    return min((f"{number // SIZES[unit]}{unit}" for unit in exact), key=len, default="0")
