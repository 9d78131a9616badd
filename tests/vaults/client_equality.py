"""Whether what this project says of a text is what the real clients' parser does with it.

``python tests/vaults/client_equality.py --seed 1 --documents 20000`` puts the corpus and generated documents to both:
each alone, with and without an environment, and every few of them merged in order.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from clients_oracle import Oracle
from hocon_grammar import Grammar

from reconciler.vaults.hocon import Outcome, Received
from reconciler.vaults.parse import DocumentParser
from reconciler.vaults.tree import Expression, List, Object, PythonObject, Substitution, Tree

TOGETHER = 4
"""How many generated documents are merged at a time."""

BUSY = 1.0
"""A client that takes longer than so many seconds for a few lines is busy for long."""

WORDS = {Outcome.READ: "tree", Outcome.DROPPED: "dropped", Outcome.ENDLESS: "endless"}


def plain(tree: Tree) -> Any:
    """Return a tree as the oracle writes it; what is from the environment is the name, between marks."""
    if isinstance(tree, Object):
        return {"object": {key: plain(value) for key, value in tree.entries.items()}}
    if isinstance(tree, List):
        return [plain(item) for item in tree.items]
    if isinstance(tree, PythonObject):
        return {"python": tree.text}
    if isinstance(tree, Expression):
        return "".join(f"«{part.path}»" if isinstance(part, Substitution) else str(plain(part)) for part in tree.parts)
    return tree.value


def said(received: Received) -> list[Any]:
    if received.outcome is Outcome.READ:
        return ["tree", plain(received.tree)]
    return [WORDS[received.outcome]]


def same(ours: Any, theirs: Any) -> bool:
    """Compare with types: ``1``, ``1.0`` and ``true`` are three values."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs


def corpus() -> list[str]:
    """Return the documents that are written down: one file for each construct, with lines of ``=`` between them."""
    files = sorted(Path(__file__).with_name("corpus").glob("*.txt"))
    return [text for file in files for text in file.read_text("utf-8")[:-1].split("\n=====\n")]


class Equality:
    """Compares text after text and counts what was seen."""

    def __init__(self, parser: DocumentParser, oracle: Oracle) -> None:
        self._parser = parser
        self._oracle = oracle
        self.documents = self.parsed = self.substitutions = self.endless = self.environment = self.merges = (
            self.shown
        ) = 0
        self.unlike: list[tuple[str, Any, Any]] = []

    def check_merge(self, texts: list[str]) -> None:
        """Compare what several documents give that are laid over one another in order; those dropped are left out."""
        read = [text for text in texts if self._parser.read(text).bare.outcome is Outcome.READ]
        ours = ["tree", plain(self._parser.merge(read, [range(len(read))])[0])]
        self.merges += 1
        self._compare("\n=====\n".join(texts), ours, self._oracle.merge(read))

    def check(self, text: str) -> None:
        reading = self._parser.read(text)
        self.documents += 1
        theirs = self._oracle.read(text)
        if "${" in text:
            self.substitutions += 1
        self._compare(text, said(reading.bare), theirs)
        parsed = theirs[0] == "tree"
        if reading.asked:
            self.environment += 1
            everything = {name: f"«{name}»" for name in reading.asked}
            theirs = self._oracle.read(text, everything)
            self._compare(text, said(reading.full), theirs)
        self.parsed += parsed or theirs[0] == "tree"

    def _compare(self, text: str, ours: list[Any], theirs: list[Any]) -> None:
        if "endless" in (ours[0], theirs[0]) and self._oracle.seconds > BUSY:
            # Where exactly a client gives up, or runs out of stack, after seconds is the machine's to say.
            self.endless += 1
            return
        if ours[0] != theirs[0] or (ours[0] == "tree" and not same(ours[1], theirs[1])):
            self.unlike.append((text, ours, theirs))

    def show(self) -> None:
        """Print what differs, and forget it; the count stays."""
        for text, ours, theirs in self.unlike:
            print(repr(text), "\n    ours:  ", ours, "\n    theirs:", theirs, flush=True)
        self.shown += len(self.unlike)
        self.unlike.clear()

    def report(self) -> str:
        return (
            f"{self.documents} documents, {self.parsed / max(1, self.documents):.0%} parse, "
            f"{self.substitutions / max(1, self.documents):.0%} hold substitutions, {self.environment} ask the "
            f"environment, {self.merges} merged, {self.endless} keep clients busy, {self.shown + len(self.unlike)} differ"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--documents", type=int, default=20_000)
    options.add_argument("--agent", action="store_true", help="ask the Agent's parser instead of the SDK's")
    chosen = options.parse_args()
    grammar = Grammar(Random(chosen.seed))
    oracle = Oracle(*(["--agent"] if chosen.agent else []))
    with DocumentParser() as parser:
        equality = Equality(parser, oracle)
        for text in corpus():
            equality.check(text)
        recent: list[str] = []
        for _ in range(chosen.documents):
            recent.append(grammar.document())
            equality.check(recent[-1])
            if len(recent) == TOGETHER:
                equality.check_merge(recent)
                recent = []
            equality.show()
            if equality.documents % 1000 == 0:
                print(equality.report(), file=sys.stderr, flush=True)
    oracle.close()
    print(equality.report())
    sys.exit(bool(equality.shown))


if __name__ == "__main__":
    main()
