"""The service's own tests."""

import tempfile
import unittest
from pathlib import Path

from assistant.cache import AnswerCache
from assistant.router import choose_model, prompt_for


class RouterTest(unittest.TestCase):
    def test_no_budget_means_no_model(self) -> None:
        model = choose_model("Why?", plan="team", language="en", budget_left=0)
        self.assertEqual(model, "none")

    def test_the_prompt_holds_every_fact(self) -> None:
        self.assertIn("- Refunds take five days.", prompt_for("When?", ["Refunds take five days."]))


class CacheTest(unittest.TestCase):
    def test_an_answer_is_found_again(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            cache = AnswerCache(Path(folder))
            cache.put("small", "When?", "In five days.")
            self.assertEqual(cache.get("small", "When?"), "In five days.")
            self.assertIsNone(cache.get("small", "Who?"))
