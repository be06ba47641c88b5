"""A person's word for a host key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Ask, Question


async def is_vouched_for(fingerprint: str, question: Question, ask: Ask) -> bool:
    """Asks as ssh does: yes, no, or the fingerprint as somebody else has told it. Nobody to ask is a no."""
    while (answer := await ask(question)) is not None:
        word = answer.strip()
        if word in {"yes", fingerprint}:
            return True
        if word.lower() in {"no", ""}:
            return False
        question = replace(question, again=True, text="Type 'yes', 'no' or the fingerprint:")
    return False
