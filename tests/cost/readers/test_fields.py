"""Times, amounts and texts of logs, and counts that contain one another."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdlc_cli.cost.model import Rejected
from sdlc_cli.cost.readers.fields import Unit, dollars, labels, moment, tier
from sdlc_cli.cost.readers.overlap import inputs, outputs

SECOND = 1_777_629_600


@pytest.mark.parametrize(
    ("told", "unit"),
    [
        ("2026-05-01T10:00:00Z", ""),
        ("2026-05-01 10:00:00", ""),
        ("2026-05-01 10:00:00 UTC", ""),
        ("2026-05-01T12:00:00.000000000+02:00", ""),
        (" 2026-05-01T10:00:00Z ", ""),
        (SECOND, ""),
        (SECOND * 10**3, ""),
        (SECOND * 10**6, ""),
        (SECOND * 10**9, ""),
        (str(SECOND * 10**9), ""),
        (str(SECOND * 10**9), "ns"),
        (float(SECOND), ""),
        (Decimal(SECOND), "s"),
    ],
)
def test_a_moment_is_the_same_in_every_notation(told: object, unit: Unit) -> None:
    assert moment(told, "ts", unit) == SECOND * 10**6


@pytest.mark.parametrize(
    ("told", "unit", "expected"),
    [
        (0, "ms", 0),
        (27_000, "ms", 27_000_000),
        (5, "ns", 0),
        ("20260501", "", SECOND * 10**6 - 36_000_000_000),
        ("20260501", "s", 20_260_501_000_000),
        ("2023-11-16 18:17:03.9799600", "", 1_700_158_623_979_960),
        (None, "", None),
        ("", "", None),
    ],
)
def test_units_and_missing_times(told: object, unit: Unit, expected: int | None) -> None:
    assert moment(told, "ts", unit) == expected


@pytest.mark.parametrize(
    "told",
    [
        *(True, -1, "1969-12-31T23:59:59Z", "10:00", "soon", "9" * 50, "²", 10**30, [1], {}, b"1"),
        *(float("nan"), float("inf"), Decimal("NaN"), Decimal("1e30"), "0001-01-01T00:00:00+23:59"),
        *("9999-12-31T23:59:59Z", "2286-11-20T17:46:40Z"),
    ],
)
def test_what_is_no_moment_is_refused(told: object) -> None:
    with pytest.raises(Rejected, match="when is not a time"):
        moment(told, "when")


@pytest.mark.parametrize(
    ("told", "pico"),
    [
        (None, None),
        ("", None),
        (0, 0),
        ("0.000001", 10**6),
        (0.1, 10**11),
        (Decimal("1e-6"), 10**6),
        ("1e-6", 10**6),
        (Decimal("1e-999999"), 0),
        (3, 3 * 10**12),
    ],
)
def test_amounts_are_exact(told: object, pico: int | None) -> None:
    assert dollars(told, "cost") == pico


@pytest.mark.parametrize(
    "told", [True, -1, "-0.5", "x", "1_0", "NaN", "inf", Decimal("sNaN"), 10**10, [1], "9" * 60]
)
def test_what_is_no_amount_is_refused(told: object) -> None:
    with pytest.raises(Rejected, match="cost is not an amount"):
        dollars(told, "cost")


def test_tags_are_sorted_and_leave_out_what_is_empty() -> None:
    assert labels({"b": "2", "a": "é", "c": ""}) == '{"a":"é","b":"2"}'
    assert labels({"a": ""}) == ""


@pytest.mark.parametrize("told", ["", "default", "Standard", " auto "])
def test_the_standard_tier_has_no_name(told: str) -> None:
    assert tier(told) == ""


COUNTS = st.integers(0, 2**53 - 1)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_input_classes_add_up_to_the_total_or_are_flagged(
    total: int, read: int, write: int, write_1h: int
) -> None:
    found = inputs(total, read=read, write=write, write_1h=write_1h)

    cached = read + write + write_1h
    assert sum(found[:-1]) == (total + cached if found.exclusive else total)
    assert found.exclusive == (total < cached)
    assert min(found[:-1]) >= 0


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_audio_and_images_are_taken_out_of_the_total_once(
    total: int, read: int, audio: int, image: int
) -> None:
    try:
        found = inputs(total, read=read, audio=audio, image=image)
    except Rejected:
        assert audio + image > max(total, total + read if total < read else total)
        return
    assert sum(found[:-1]) == (total + read if found.exclusive else total)
    assert found.audio_in + found.audio_cached == audio
    assert min(found[:-1]) >= 0


@given(COUNTS, COUNTS, COUNTS)
def test_output_classes_add_up_to_the_total_or_are_flagged(
    total: int, reasoning: int, audio: int
) -> None:
    found = outputs(total, reasoning=reasoning, audio=audio)

    parts = reasoning + audio
    assert sum(found[:-1]) == (total + parts if found.exclusive else total)
    assert (found.reasoning, found.audio_out) == (reasoning, audio)
