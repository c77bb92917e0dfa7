"""Random histories of a lake, drawn from a seed: what arrives, late, again, edited, corrected, merged or taken away."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from warehouse_rows import NOW, VERSION, batch, correction, event, mention, post, store, visit

from warehouse import retention, tables
from warehouse.lake import Lake
from warehouse.layout import mentions_path

BRANDS = ("Quillon", "Telvo")
FEEDS = ("town-talk", "village")


class Schedule:
    """A lake's history, step by step; `now` goes on with it."""

    def __init__(self, lake: Lake, seed: int) -> None:
        self.lake = lake
        self.now = NOW - timedelta(days=3)
        self._chance = random.Random(seed)
        self._said: list[dict[str, Any]] = []
        self._batches = 0

    def step(self) -> str:
        """Let something happen; return what."""
        self.now += timedelta(minutes=self._chance.choice((0, 1, 20, 70, 400)))
        steps: list[tuple[int, Callable[[], None]]] = [
            (6, self.arrive), (3, self.arrive_late), (3, self.read_again), (3, self.edit), (2, self.take_down),
            (2, self.arrive_twice), (3, self.correct), (2, self.enrich_again), (2, self.merge), (1, self.lose_a_file),
            (2, self.visit), (1, self.alert), (2, self.copy), (1, self.write_over), (1, self.leave_a_merge_undone),
        ]  # fmt: skip
        [happens] = self._chance.choices([one for _, one in steps], [weight for weight, _ in steps])
        happens()
        return happens.__name__

    def arrive(self, published_at: datetime | None = None, **other: Any) -> None:
        """Some new posts, some dated a little ahead, some undated."""
        rows = []
        for _ in range(self._chance.randint(1, 4)):
            ago = timedelta(minutes=self._chance.choice((-1, 0, 3, 50, 200)))
            number = len(self._said) + len(rows)
            rows.append(
                post(
                    f"p{number}",
                    author=self._chance.choice((None, "ann", "ben", "cy")),
                    feed=self._chance.choice(FEEDS),
                    published_at=published_at or self.now - ago,
                    fetched_at=self.now,
                    likes=self._chance.choice((None, 1, 5)),
                    text=self._chance.choice(("", "my first bill, ")) + f"text {self._chance.randint(0, 9)}",
                    **other,
                )
            )
        self._store(rows)

    def arrive_late(self) -> None:
        self.arrive(self.now - timedelta(hours=self._chance.choice((5, 30, 60))))

    def read_again(self) -> None:
        self._again(likes=self._chance.choice((None, 2, 9)), replies=self._chance.choice((None, 1)))

    def edit(self) -> None:
        self._again(text=f"edited {self._chance.randint(0, 9)}", edited_at=self.now, version=None)

    def take_down(self) -> None:
        self._again(text="", deleted=True, version=None)

    def copy(self) -> None:
        """A repost: the same signature."""
        if self._said:
            self.arrive(parent_id=self._chance.choice(self._said)["post_id"])

    def arrive_twice(self) -> None:
        if self._said:
            self._store(self._chance.choices(self._said, k=2), keep=False)

    def write_over(self) -> None:
        """The last batch is stored anew under its name, with one post less or more."""
        self._batches -= self._batches > 0
        self.arrive()

    def correct(self) -> None:
        if not self._said:
            return
        of = self._chance.choice(self._said)
        column, value = self._chance.choice(
            (("sentiment", 1), ("sentiment", -1), ("certainty", 0.1), ("sentiment", ...), ("certainty", ...),
             ("aspects", [{"aspect": "price", "sentiment": -1}]))
        )  # fmt: skip
        row = correction(column, value, post_id=of["post_id"], brand=self._chance.choice(BRANDS)) | {"at": self.now}
        self.lake.append(batch(tables.CORRECTIONS, row), tables.CORRECTIONS, f"correction-{self._next()}")

    def enrich_again(self) -> None:
        """The mentions of a file are found anew, otherwise."""
        if paths := self.lake.files("posts"):
            path = self._chance.choice(paths)
            rows = [self._mention(row) for row in self.lake.read(path).to_pylist() if not row["deleted"]]
            once = {(row["post_id"], row["version"], row["brand"]): row for row in rows}
            self.lake.write_mentions(path, VERSION, batch(tables.MENTIONS, *once.values()))

    def merge(self) -> None:
        retention.merge_posts(self.lake, VERSION, self.now)
        for table in retention.ALONE:
            retention.merge(self.lake, table, self.now)

    def leave_a_merge_undone(self) -> None:
        """Killed half-way: all rows of a day are in the merged file, and still in those it was made of."""
        if len(paths := self.lake.files("posts")) > 1:
            folder = self._chance.choice(paths).rpartition("/")[0]
            whole = [path for path in paths if path.startswith(folder)]
            target = f"{folder}/merged-{self._next()}.parquet"
            found = [self.lake.read(mentions_path(path, VERSION)) for path in whole]
            self.lake.replace("mentions", pa.concat_tables(found), mentions_path(target, VERSION))
            self.lake.replace("posts", pa.concat_tables([self.lake.read(path) for path in whole]), target)

    def lose_a_file(self) -> None:
        """Retention, or somebody who was forgotten."""
        if paths := self.lake.files("posts"):
            path = self._chance.choice(paths)
            self.lake.remove([path, mentions_path(path, VERSION)])

    def visit(self) -> None:
        outcome = self._chance.choice(("new", "failed", "unchanged"))
        row = visit(self._chance.choice(FEEDS), outcome) | {"started_at": self.now, "finished_at": self.now}
        self.lake.append(batch(tables.VISITS, row), tables.VISITS, f"visit-{self._next()}")

    def alert(self) -> None:
        row = event(self._chance.choice("ab"), self._chance.choice(("opened", "grew", "resolved")), 1)
        self.lake.append(batch(tables.ALERTS, row | {"at": self.now}), tables.ALERTS, f"alert-{self._next()}")

    def _again(self, **other: Any) -> None:
        if not self._said:
            return
        last: dict[str, Any] = self._chance.choice(self._said) | other | {"fetched_at": self.now}
        if last["version"] is None:
            del last["version"]
            last = post(**last)
        self._store([last])

    def _store(self, rows: list[dict[str, Any]], *, keep: bool = True) -> None:
        if keep:
            self._said += rows
        found = [self._mention(row) for row in rows if not row["deleted"]]
        found += [self._mention(row, "Telvo") for row in rows if not row["deleted"] and self._chance.random() < 0.3]
        store(self.lake, rows, found, f"batch-{self._next()}")

    def _mention(self, row: dict[str, Any], brand: str = "Quillon") -> dict[str, Any]:
        """Say something of a brand; every third text is one that others have too, or nearly."""
        told = self._chance.randrange(12)
        signature = bytes([told] * 60 + [self._chance.randrange(3)] * 4) if told < 4 else None
        return mention(
            row,
            brand,
            self._chance.choice((-1, 0, 1, None)),
            certainty=self._chance.choice((0.2, 0.9)),
            signature=signature,
            intents=self._chance.choice((None, ["complain"], ["recommend"])),
            switched_to=self._chance.choice((None, "Telvo")),
            switch_status=self._chance.choice((None, "done")),
            aspects=self._chance.choice((None, [{"aspect": "billing", "sentiment": -1, "start": 0, "end": 3}])),
        )

    def _next(self) -> int:
        self._batches += 1
        return self._batches
