"""What reports show of people."""

import hashlib
import hmac

import pytest

from sdlc_cli.cost.options import Privacy
from sdlc_cli.cost.privacy import Veil, luhn

KEY = "0123456789abcdef"
HASHED = Privacy(users="hash", key=KEY)
REDACTED = Privacy(tags="redact", key=KEY)


def test_a_user_is_shown_by_a_keyed_hash() -> None:
    digest = hmac.new(KEY.encode(), b"anna", hashlib.sha256).hexdigest()

    assert Veil(HASHED).show("user", "anna") == f"user-{digest[:16]}"
    assert Veil(Privacy(users="hash", key=KEY + "x")).show("user", "anna") != f"user-{digest[:16]}"


def test_one_user_is_counted_once_and_nobody_is_no_user() -> None:
    veil = Veil(HASHED)
    shown = [veil.show("user", name) for name in ("anna", "ben", "anna", "")]

    assert shown[0] == shown[2] != shown[1]
    assert shown[3] == ""
    assert veil.hidden == {"user": 2}


def test_other_names_stay_unless_asked() -> None:
    assert Veil(HASHED).show("tag:mail", "a@b.example") == "a@b.example"
    assert Veil(Privacy()).show("user", "a@b.example") == "a@b.example"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("anna.b+c@mail.example.org", "email"),
        ("+49 (30) 1234-5678", "phone"),
        ("+14155550123", "phone"),
        ("030 1234 5678", "phone"),
        ("4111 1111 1111 1111", "card"),
        ("5500-0000-0000-0004", "card"),
        ("378282246310005", "card"),
    ],
)
def test_personal_data_inside_a_name_is_hashed(text: str, kind: str) -> None:
    veil = Veil(REDACTED)

    shown = veil.show("tag:note", f"for {text}, urgent")

    assert veil.hidden == {kind: 1}
    assert text not in shown
    assert shown.startswith(f"for {kind}-")
    assert shown.endswith(", urgent")


@pytest.mark.parametrize(
    "text",
    ["2026-11-22", "1.2.3", "4111 1111 1111 1112", "run-20261122-0001", "a@b", "gpt-4o-2024-08-06"],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    veil = Veil(REDACTED)

    assert veil.show("tag:note", text) == text
    assert not veil.hidden


@pytest.mark.parametrize(("number", "good"), [("79927398713", True), ("79927398710", False)])
def test_the_check_digit_of_a_card(number: str, good: bool) -> None:
    assert luhn(number) is good


def test_a_hostile_text_costs_little() -> None:
    text = "1 " * 50_000 + "@" + "a." * 50_000

    assert Veil(REDACTED).show("project", text)
