"""Keeps answers, so that the same question is paid for once."""

import hashlib
import pickle
from pathlib import Path


class AnswerCache:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _file(self, model: str, prompt: str) -> Path:
        key = hashlib.md5(f"{model}\n{prompt}".encode()).hexdigest()
        return self.folder / f"{key}.pickle"

    def get(self, model: str, prompt: str) -> str | None:
        file = self._file(model, prompt)
        if not file.exists():
            return None
        return pickle.loads(file.read_bytes())

    def put(self, model: str, prompt: str, answer: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file(model, prompt).write_bytes(pickle.dumps(answer))
