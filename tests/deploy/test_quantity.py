"""Amounts as Kubernetes writes them: read exactly, written as the API server would."""

import pytest

from sdlc_cli.deploy.quantity import cpu, read_cpu, read_size, size


@pytest.mark.parametrize(
    ("text", "millicores"),
    [("250m", 250), ("1", 1000), ("0.5", 500), ("1.25", 1250), ("0.001", 1), ("1500m", 1500)],
)
def test_cpus_are_read_in_thousandths(text: str, millicores: int) -> None:
    assert read_cpu(text) == millicores


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("512Mi", 512 * 2**20), ("1.5Gi", 1536 * 2**20), ("2G", 2 * 10**9), ("1k", 1000),
        ("4096", 4096), ("0.001Ki", 2), ("1Ti", 2**40),
    ],
)  # fmt: skip
def test_sizes_are_read_in_bytes(text: str, number: int) -> None:
    assert read_size(text) == number


@pytest.mark.parametrize("text", ["", "m", "1.0001", "-1", "1e3", "250M", "0.5m", "1\n", " 1", "١"])
def test_what_is_no_cpu_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount of cpu"):
        read_cpu(text)


@pytest.mark.parametrize(
    "text", ["", "Mi", "512MB", "512mi", "512m", "1e6", "-1Mi", "1 Gi", "1Gi\n", "1Ei", "9" * 16]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        read_size(text)


@pytest.mark.parametrize(
    ("millicores", "text"), [(250, "250m"), (1000, "1"), (1500, "1500m"), (1, "1m")]
)
def test_cpus_are_written_in_their_shortest_form(millicores: int, text: str) -> None:
    assert cpu(millicores) == text


@pytest.mark.parametrize(
    "text", ["512Mi", "1Gi", "1536Mi", "3Ki", "1500M", "2G", "1Ti", "1001", "0"]
)
def test_sizes_are_written_in_the_largest_unit_that_says_them(text: str) -> None:
    assert size(read_size(text)) == text
