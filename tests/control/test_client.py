from __future__ import annotations

import subprocess
import sys


def test_the_client_is_cheap_to_import() -> None:
    program = "import sys, orchestra.control.client; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30)
    assert not {"asyncio", "aiohttp", "asyncssh", "networkx", "pydantic", "typer", "rich"} & set(loaded.stdout.split())
