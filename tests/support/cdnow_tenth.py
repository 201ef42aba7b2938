"""CDNOW's 1/10 sample as the papers use it: 39 weeks of 2,357 customers, times in weeks."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from stream.domain.arrays import F64
from stream.tools.samples import open_sample

END = date(1997, 9, 30)


class _Purchase(msgspec.Struct):
    customer_id: str
    occurred_at: str


def chosen_customers() -> set[str]:
    """The ids of the sample's customers."""
    lines = (Path(__file__).parent / "cdnow_tenth.txt").read_text(encoding="utf-8").splitlines()
    return {name for line in lines if not line.startswith("#") for name in line.split()}


def cdnow_tenth() -> tuple[F64, F64, F64]:
    """Frequency, recency and age of each customer at the end of the calibration period.

    To two decimals, as in the summary that Lifetimes distributes: so all its rows are the same.
    """
    chosen = chosen_customers()
    days: defaultdict[str, set[date]] = defaultdict(set)
    decode = msgspec.json.Decoder(_Purchase).decode
    for line in open_sample("cdnow"):
        purchase = decode(line)
        day = date.fromisoformat(purchase.occurred_at[:10])
        if purchase.customer_id in chosen and day <= END:
            days[purchase.customer_id].add(day)
    rows = [
        (len(bought) - 1, (max(bought) - min(bought)).days / 7, (END - min(bought)).days / 7)
        for bought in days.values()
    ]
    frequency, recency, age = np.array(rows, np.float64).T
    return frequency, recency.round(2), age.round(2)
