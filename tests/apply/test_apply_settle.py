from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from reconciler.apply.settle import ATTEMPTS, confirmed, repeated, settled
from reconciler.errors import AnswerLostError, CallRefusedError


@dataclass
class Server:
    """Has a script with one letter for each write.

    ``+`` carried out and answered, ``?`` carried out and the answer lost, ``-`` lost on the way, ``!`` refused.
    """

    script: str
    made: list[int] = field(default_factory=list)
    writes: int = 0

    async def write(self) -> str:
        step = self.script[self.writes]
        self.writes += 1
        if step == "!":
            raise CallRefusedError("call", 400, 12, "no")
        if step in "+?":
            self.made.append(self.writes)
        if step in "?-":
            raise AnswerLostError("the answer was lost")
        return f"answer {self.writes}"

    async def find(self) -> str | None:
        return f"found {self.made[0]}" if self.made else None

    async def happened(self) -> bool:
        return bool(self.made)


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("+", "answer 1"),
        ("?", "found 1"),
        ("-+", "answer 2"),
        ("-?", "found 2"),
        ("--+", "answer 3"),
        ("--?", "found 3"),
    ],
)
def test_a_write_is_carried_out_once_whatever_answers_are_lost(script: str, answer: str) -> None:
    server = Server(script)
    assert asyncio.run(settled(server.write, server.find)) == answer
    assert (server.writes, len(server.made)) == (len(script), 1)


def test_a_write_that_never_gets_through_stays_unknown() -> None:
    server = Server("-" * ATTEMPTS)
    with pytest.raises(AnswerLostError):
        asyncio.run(settled(server.write, server.find))
    assert server.writes == ATTEMPTS


@pytest.mark.parametrize("script", ["!", "-!"])
def test_a_refusal_is_final(script: str) -> None:
    server = Server(script)
    with pytest.raises(CallRefusedError):
        asyncio.run(settled(server.write, server.find))
    assert server.writes == len(script)


@pytest.mark.parametrize("script", ["+", "?", "-+", "--?"])
def test_a_write_without_an_answer_of_use_is_confirmed_by_its_effect(script: str) -> None:
    server = Server(script)
    asyncio.run(confirmed(server.write, server.happened))
    assert server.writes == len(script)


@pytest.mark.parametrize("script", ["+", "?+", "-?+"])
def test_a_write_that_sets_a_value_is_made_again_until_it_is_answered(script: str) -> None:
    server = Server(script)
    asyncio.run(repeated(server.write))
    assert server.writes == len(script)
