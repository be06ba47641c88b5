from __future__ import annotations

from orchestra.engine import builtin
from orchestra.plugin.manager import load_plugins


def test_core_adds_its_own_by_the_hooks_of_strangers() -> None:
    plugins = load_plugins([builtin], entry_points=False)
    assert [info.error for info in plugins.loaded] == [None]
    assert set(plugins.kinds) == {"tcp"}
    assert set(plugins.checks) == {"tcp"}
    assert set(plugins.secrets) == {"env", "file", "command"}
    assert plugins.vocabulary.secrets["command"].value == "command"
