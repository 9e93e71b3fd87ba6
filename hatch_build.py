"""Compiles the readers in C whenever a wheel is built or a clone is installed.

Without a C compiler the wheel is one of pure Python: others read lines and exports then, slower.
"""

import sys
import sysconfig
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Compile(BuildHookInterface):  # type: ignore[type-arg]
    """Hatch finds it by its base."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds what was compiled to the wheel, and says which machines it is for."""
        sys.path.insert(0, self.root)
        from sdlc_cli.cost.engine.native.build import compiled

        made = compiled()
        if made is None:
            self.app.display_warning("no C compiler: large logs and exports will be read slower")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"/{made.relative_to(self.root).as_posix()}")
