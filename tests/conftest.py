"""Options of the whole suite: what it may write anew, and where chance begins."""

from __future__ import annotations

import random

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("orchestra")
    group.addoption("--golden-update", action="store_true", help="write the golden files anew; read the difference")
    group.addoption("--topologies", type=int, default=40, help="how many random ones the kernel is asked about")
    group.addoption("--seed", type=int, default=None, help="the first of them; default: another one in each run")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """One seed for the run: workers are told the controller's."""
    told = getattr(config, "workerinput", {}).get("seed")
    if config.option.seed is None:
        config.option.seed = random.SystemRandom().randrange(10**9) if told is None else told


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:  # type: ignore[no-untyped-def]
    node.workerinput["seed"] = node.config.option.seed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [each for outcome in ("passed", "failed") for each in terminalreporter.stats.get(outcome, ())]
    if any("acceptance/test_agreement.py" in getattr(report, "nodeid", "") for report in reports):
        terminalreporter.write_line(
            f"random topologies: --topologies {config.option.topologies} --seed {config.option.seed}"
        )
