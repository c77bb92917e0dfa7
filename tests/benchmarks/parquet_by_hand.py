"""Three questions asked of the lake's Parquet files with pandas and with polars, as one would without the snapshot.

The rules are the snapshot's: of a post's readings the newest counts, a tombstone takes the post away, an edit replaces
what was said before, and a mention counts if its certainty is 0.5 or more; 30 days, in whole hours, are asked about.
Only the columns that a question needs are read, only the brand it is about, and each answer is a dict, to be compared.
"""

import importlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

pd: Any = importlib.import_module("pandas")  # of the group bench: no type checker sees them elsewhere
pl: Any = importlib.import_module("polars")

READING = ["post_id", "version", "fetched_at", "published_at", "deleted", "edited_at"]
SAID = ["post_id", "version", "brand", "certainty"]


class Files(NamedTuple):
    """Where the lake's posts and mentions lie, and the 30 days: hours from starts on, before ends."""

    posts: list[str]
    mentions: list[str]
    starts: datetime
    ends: datetime


def asked_of(posts: list[str], mentions: list[str], hour: datetime) -> Files:
    """Return the files of a lake whose running hour is given; UTC."""
    return Files(posts, mentions, hour - timedelta(days=30), hour + timedelta(hours=1))


class Pandas:
    """The questions in pandas."""

    @staticmethod
    def days_of_a_brand(files: Files, brand: str) -> Mapping[Any, tuple[int, int, int]]:
        """Return mentions, those for the brand and those against it, by day."""
        said = _pandas_standing(files, ["sentiment"], brand)
        said = said.assign(day=said["hour"].dt.date, good=said["sentiment"] == 1, bad=said["sentiment"] == -1)
        told = said.groupby("day").agg(n=("post_id", "size"), good=("good", "sum"), bad=("bad", "sum"))
        return {day: (int(n), int(good), int(bad)) for day, n, good, bad in told.itertuples()}

    @staticmethod
    def mentions_by_brand(files: Files) -> Mapping[Any, int]:
        """Return how often each brand was mentioned."""
        return {brand: int(n) for brand, n in _pandas_standing(files, []).groupby("brand").size().items()}

    @staticmethod
    def advocates(files: Files) -> Mapping[Any, tuple[int, int]]:
        """Return by brand how many authors last recommended it, and how many last warned others off."""
        said = _pandas_standing(files, ["intents"], of_posts=["author"])
        recommends = said["intents"].map(lambda intents: "recommend" in intents)
        act = recommends.astype(int) - said["intents"].map(lambda intents: "warn_off" in intents).astype(int)
        acts = said.assign(act=act)[act != 0].sort_values(["published_at", "act"])
        last = acts.drop_duplicates(["brand", "author"], keep="last")
        told = last.assign(good=last["act"] == 1, bad=last["act"] == -1).groupby("brand")[["good", "bad"]].sum()
        return {brand: (int(good), int(bad)) for brand, good, bad in told.itertuples()}


class Polars:
    """The questions in polars, lazily."""

    @staticmethod
    def days_of_a_brand(files: Files, brand: str) -> Mapping[Any, tuple[int, int, int]]:
        """Return mentions, those for the brand and those against it, by day."""
        told = (
            _polars_standing(files, ["sentiment"], brand)
            .group_by(pl.col("hour").dt.date().alias("day"))
            .agg(pl.len(), (pl.col("sentiment") == 1).sum().alias("good"), (pl.col("sentiment") == -1).sum())
            .collect()
        )
        return {day: (n, good, bad) for day, n, good, bad in told.iter_rows()}

    @staticmethod
    def mentions_by_brand(files: Files) -> Mapping[Any, int]:
        """Return how often each brand was mentioned."""
        return dict(_polars_standing(files, []).group_by("brand").agg(pl.len()).collect().iter_rows())

    @staticmethod
    def advocates(files: Files) -> Mapping[Any, tuple[int, int]]:
        """Return by brand how many authors last recommended it, and how many last warned others off."""
        has = pl.col("intents").list.contains
        act = has("recommend").cast(pl.Int8) - has("warn_off").cast(pl.Int8)
        told = (
            _polars_standing(files, ["intents"], of_posts=["author"])
            .with_columns(act=act)
            .filter(pl.col("act") != 0)
            .group_by("brand", "author")
            .agg(pl.col("act").sort_by("published_at", "act").last())
            .group_by("brand")
            .agg((pl.col("act") == 1).sum().alias("good"), (pl.col("act") == -1).sum().alias("bad"))
            .collect()
        )
        return {brand: (good, bad) for brand, good, bad in told.iter_rows()}


def _pandas_standing(files: Files, columns: list[str], brand: str | None = None, of_posts: list[str] | None = None):
    """Return what stands of the 30 days: mentions with these columns of theirs and of the posts, and the hour."""
    meant = [("certainty", ">=", 0.5), *([("brand", "==", brand)] if brand else [])]
    found = pd.read_parquet(files.mentions, columns=[*SAID, *columns], filters=meant, partitioning=None)
    found = found.drop_duplicates(["post_id", "version", "brand"])
    readings = pd.read_parquet(files.posts, columns=[*READING, *(of_posts or [])], partitioning=None)
    if brand:
        readings = readings[readings["post_id"].isin(found["post_id"])]
    readings = readings.sort_values(["fetched_at", "deleted", "edited_at", "version"], na_position="first")
    newest = readings.drop_duplicates("post_id", keep="last")
    said = found.merge(newest[~newest["deleted"]], on=["post_id", "version"])
    published, fetched = said["published_at"].dt.floor("h"), said["fetched_at"].dt.floor("h")
    said = said.assign(hour=published.where(published < fetched, fetched))
    return said[(said["hour"] >= files.starts) & (said["hour"] < files.ends)]


def _polars_standing(files: Files, columns: list[str], brand: str | None = None, of_posts: list[str] | None = None):
    """Return what stands of the 30 days: mentions with these columns of theirs and of the posts, and the hour."""
    found = pl.scan_parquet(files.mentions, hive_partitioning=False).select(*SAID, *columns)
    found = found.filter(pl.col("certainty") >= 0.5)
    if brand:
        found = found.filter(pl.col("brand") == brand)
    found = found.unique(["post_id", "version", "brand"])
    readings = pl.scan_parquet(files.posts, hive_partitioning=False).select(*READING, *(of_posts or []))
    if brand:
        readings = readings.join(found, on="post_id", how="semi")
    order = ["fetched_at", "deleted", "edited_at", "version"]
    newest = readings.sort(order, nulls_last=False).unique("post_id", keep="last", maintain_order=True)
    said = found.join(newest.filter(~pl.col("deleted")), on=["post_id", "version"])
    hour = pl.min_horizontal(pl.col("published_at").dt.truncate("1h"), pl.col("fetched_at").dt.truncate("1h"))
    said = said.with_columns(hour=hour)
    return said.filter((pl.col("hour") >= files.starts) & (pl.col("hour") < files.ends))
