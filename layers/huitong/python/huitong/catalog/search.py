"""Search in the catalogue (X-16, C-03, C-31): Chinese by bigrams, in memory, kept up to date by a feed.

Text is folded first (full to half width, case), so that ``ＩＮ－０１`` finds
``in-01``. A word is looked for as it is written: the bigrams of the index
choose the candidates, the text itself decides.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from huitong.catalog.documents import header

MOST_WORDS: Final = 12
_WEIGHTS: Final = {"title": 8, "code": 6, "provider": 4, "keywords": 3, "items": 2, "rest": 1}
Document = Mapping[str, Any]


def folded(text: str) -> str:
    """Half width, lower case, runs of blanks as one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class Filters:
    """Each narrows; empty = any. ``category`` is a class code or the beginning of one."""

    unit: str = ""
    kind: str = ""
    category: str = ""
    share_type: str = ""
    method: str = ""
    frequency: str = ""
    coverage: str = ""
    demand: str = ""
    open: bool | None = None

    def keeps(self, shown: Document) -> bool:
        code = str(shown.get("code", ""))
        codes = [code, *(str(c.get("code", "")) for c in shown.get("categories", ()))]
        serves = [str(s.get("code", "")) for s in shown.get("serves", ())]
        return (
            self.unit in ("", shown.get("provider"))
            and self.kind in ("", code[:1])
            and (not self.category or any(c.startswith(self.category) for c in codes))
            and self.share_type in ("", shown.get("share_type"))
            and (not self.method or self.method in shown.get("methods", ()))
            and self.frequency in ("", shown.get("frequency"))
            and self.coverage in ("", shown.get("coverage"))
            and (not self.demand or self.demand in (*shown.get("demands", ()), *serves))
            and (self.open is None or bool(shown.get("open", False)) == self.open)
        )


@dataclass(slots=True)
class _Kept:
    whole: Document
    head: Document
    texts: Mapping[str, str]  # part → folded text
    head_texts: Mapping[str, str]
    grams: frozenset[str]


@dataclass(slots=True)
class Index:
    """An inverted index over documents. :meth:`put` replaces, :meth:`drop` removes."""

    kept: dict[str, _Kept] = field(default_factory=dict)
    postings: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def put(self, shown: Document) -> None:
        name = str(shown["resource"])
        self.drop(name)
        head = header(shown)
        texts, head_texts = _texts(shown), _texts(head)
        grams = frozenset(g for text in texts.values() for g in _grams(text))
        self.kept[name] = _Kept(shown, head, texts, head_texts, grams)
        for gram in grams:
            self.postings[gram].add(name)

    def drop(self, name: str) -> None:
        gone = self.kept.pop(name, None)
        for gram in gone.grams if gone else ():
            self.postings[gram].discard(name)

    def find(
        self, query: str, filters: Filters, whole: Callable[[Document], bool]
    ) -> list[tuple[int, Document]]:
        """(rank, what the seeker may see), best first. ``whole``: may all of a document be seen?"""
        words = list(dict.fromkeys(folded(query).split()))[:MOST_WORDS]
        found = []
        for name in self._candidates(words):
            one = self.kept[name]
            all_of_it = whole(one.whole)
            shown = one.whole if all_of_it else one.head
            texts = one.texts if all_of_it else one.head_texts
            rank = _rank(words, texts)
            if rank and filters.keeps(shown):
                found.append((rank, shown))
        found.sort(key=lambda pair: (-pair[0], str(pair[1]["resource"])))
        return found

    def _candidates(self, words: Iterable[str]) -> Iterable[str]:
        names: set[str] | None = None
        for word in words:
            for gram in _grams(word):
                held = self.postings.get(gram, set())
                names = set(held) if names is None else names & held
                if not names:
                    return ()
        return self.kept if names is None else names


def _rank(words: list[str], texts: Mapping[str, str]) -> int:
    """0 = a word stands nowhere; without words everything is equal."""
    total = 1
    for word in words:
        best = max((_WEIGHTS[part] for part, text in texts.items() if word in text), default=0)
        if not best:
            return 0
        total += best
    return total


def _grams(text: str) -> Iterable[str]:
    return {text[i : i + 2] for i in range(len(text) - 1) if " " not in text[i : i + 2]}


def _texts(shown: Document) -> dict[str, str]:
    categories = [f"{c.get('name', '')} {c.get('code', '')}" for c in shown.get("categories", ())]
    keywords = [w for k in shown.get("keywords", ()) for w in k.get("words", ())]
    serves = [f"{s.get('code', '')} {s.get('name', '')}" for s in shown.get("serves", ())]
    items = [f"{name} {one.get('title', '')}" for name, one in shown.get("items", {}).items()]
    rest = [str(shown.get(n, "")) for n in ("abstract", "share_condition", "legal_basis")]
    parts = {
        "title": [str(shown.get("title", ""))],
        "code": [str(shown["resource"]), str(shown.get("code", "")), *shown.get("related", ())],
        "provider": [str(shown.get("provider_name", "")), str(shown.get("provider", ""))],
        "keywords": [
            *keywords,
            *categories,
            *shown.get("class_path", ()),
            *shown.get("demands", ()),
            *serves,
        ],
        "items": items,
        "rest": rest,
    }
    return {name: text for name, words in parts.items() if (text := folded("\n".join(words)))}


class Search:
    """The index over what is published. ``read`` gives a resource's document, None when there is none now;
    ``all`` every document; ``fed`` the feed after a place; ``last`` its last places."""

    #: Entries of the feed may be stored out of order by clocks that differ: this much is read again.
    OVERLAP: Final = 120

    def __init__(
        self,
        read: Callable[[str], Document | None],
        all: Callable[[], Iterable[Document]],
        fed: Callable[[str], Iterable[tuple[str, str]]],
        last: Callable[[int], list[str]],
    ) -> None:
        self._read, self._all, self._fed, self._last = read, all, fed, last
        self._index: Index | None = None
        self._seen: list[str] = []

    def find(
        self, query: str, filters: Filters, whole: Callable[[Document], bool]
    ) -> list[tuple[int, Document]]:
        return self._present().find(query, filters, whole)

    def _present(self) -> Index:
        if self._index is None:
            self._seen = self._last(self.OVERLAP)
            self._index = Index()
            for one in self._all():
                self._index.put(one)
            return self._index
        known = set(self._seen)
        start = self._seen[0] if len(self._seen) >= self.OVERLAP else ""
        fresh = [(place, name) for place, name in self._fed(start) if place not in known]
        for name in dict.fromkeys(name for _, name in fresh):
            shown = self._read(name)
            if shown is None:
                self._index.drop(name)
            else:
                self._index.put(shown)
        self._seen = sorted([*self._seen, *(place for place, _ in fresh)])[-self.OVERLAP :]
        return self._index
