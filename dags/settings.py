"""listening.toml and the WOM_* variables, read once into frozen, validated settings.

What to listen for, where, and whom to tell stands in listening.toml; paths and secrets come from the
environment, so that the file can be shared. A wrong key or value raises SettingsError, whose message
names file, line, key and the valid values; running again does not help.

    WOM_CONFIG      the file; ./listening.toml unless set
    WOM_LAKE        where Parquet goes: a folder or a URL; ./lake unless set
    WOM_DATABASE    the DuckDB file; word_of_mouse.duckdb unless set, in a local lake, or in the working folder
    WOM_AUTHOR_KEY  what author pseudonyms are keyed with; made once beside a local lake unless set
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from dags.toml_lines import line_of
from listeners.feed import FeedOptions, PollMinutes, TimeZone, WebAddress
from listeners.registry import SOURCES, load
from nlp.brands import Brand
from warehouse.spike_rules import DEFAULT, Rules

# What an owner may be named for: each aspect a mention can be about, and the rest.
Owned = Literal[
    "default", "product", "reliability", "price", "billing", "delivery", "support", "staff", "place", "app", "returns",
    "privacy", "employer", "ethics",
]  # fmt: skip
Severity = Literal["tell", "page"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_DUE = {  # what pydantic says of types, in TOML's words
    "tuple_type": 'a list is due, as in ["one", "two"]',
    "dict_type": "a table is due",
    "model_type": "a table is due",
    "string_type": "a text in quotes is due",
    "string_too_short": "it is empty",
}
EVERY_OTHER_SOURCE = "default"  # in keep_days
_STRICT = ConfigDict(frozen=True, extra="forbid")


class SettingsError(Exception):
    """listening.toml or a WOM_* variable is wrong; the message says where and what would be right."""


Opportunity = Literal["recovery", "praise", "competitor", "silent_feed", "rising_aspect", "rising_phrase"]


class BrandSettings(Brand):
    """A [[brand]]: how to recognise it, whom it is compared with, and who is told."""

    competitors: tuple[Text, ...] = Field(default=(), description="names of the brands it is compared with")
    owners: dict[Owned, Text] = Field(
        default={},
        description="who is told, by aspect: a mail address or an [[alerts.target]]; `default` for the rest",
    )
    alerts: tuple[Opportunity, ...] = Field(
        default=(),
        description="what is told besides negative spikes: complaints worth an answer (recovery), a spike of praise, a "
        "negative one of a competitor, a feed gone silent, aspects or phrases of complaints on the rise",
    )


class CollectSettings(BaseModel):
    """[collect]: how feeds are read."""

    model_config = _STRICT

    allow_hosts: tuple[Text, ...] = Field(default=(), description="hosts that may be loopback or private addresses")
    consent: Literal["opt_out", "opt_in"] = Field(
        default="opt_out", description="leave out refusals, or all but the willing"
    )
    contact: Text | None = Field(
        default=None, description="mail address or page for the User-Agent: whom a server may ask"
    )

    poll_minutes: PollMinutes = Field(
        default=(60, 360), description="[shortest, longest] pause between two visits of a feed; quiet ones wait longer"
    )

    @field_validator("contact")
    @classmethod
    def _fits_a_header(cls, contact: str | None) -> str | None:
        if contact and not (contact.isascii() and contact.isprintable()):
            raise ValueError("it is sent in a header, which takes only printable ASCII")
        return contact


def _tables(header: str, value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError(f"write [[{header}]] with two brackets: there may be several")
    return value


class AlertTarget(BaseModel):
    """[[alerts.target]]: a channel an owner can be reached by, as an Apprise URL."""

    model_config = _STRICT

    name: Text = Field(description="what `owners` call it")
    url: Text | None = Field(default=None, description="an Apprise URL without secrets: json://host/path, ntfy://topic")
    url_env: Text | None = Field(default=None, description="the environment variable that holds the Apprise URL")

    @model_validator(mode="after")
    def _one_of_both(self) -> "AlertTarget":
        if (self.url is None) == (self.url_env is None):
            raise ValueError("give either url, or url_env to take it from the environment")
        return self


def _clock(value: Any) -> time:
    found = re.fullmatch(r"(\d\d):(\d\d)", value) if isinstance(value, str) else None
    if not found or not (int(found[1]) < 24 and int(found[2]) < 60):
        raise ValueError('a time of day is due, as in "08:30"')
    return time(int(found[1]), int(found[2]))


def _hours(value: Any) -> tuple[time, time]:
    written = re.fullmatch(r"(\d\d:\d\d)\s*-\s*(\d\d:\d\d)", value) if isinstance(value, str) else None
    if not written:
        raise ValueError('two times of day are due, as in "22:00-07:00"')
    first, last = _clock(written[1]), _clock("00:00" if written[2] == "24:00" else written[2])
    if first == last:
        raise ValueError("hours that begin when they end are a whole day, and nothing would be told")
    return first, last


class AlertRoute(BaseModel):
    """[[alerts.route]]: how an owner is told. Of several, the first that fits the owner and the severity holds."""

    model_config = _STRICT

    owner: Text | None = Field(
        default=None, description="whose: a name in `owners` or `escalate_to`; everybody's unless set"
    )
    severity: Severity | None = Field(
        default=None, description="of what: tell, or page, which is surer; both unless set"
    )
    channels: tuple[Text, ...] = Field(
        default=(),
        description="mail addresses or targets, the next where one fails; the one that has the owner's name unless set",
    )
    quiet_hours: Annotated[tuple[time, time], BeforeValidator(_hours)] | None = Field(
        default=None, description='as in "22:00-07:00": what is no page waits until they are over'
    )
    digest_at: tuple[Annotated[time, BeforeValidator(_clock)], ...] = Field(
        default=(), description='as in ["08:00", "16:00"]: what is no page is told then, in one message'
    )
    time_zone: TimeZone = Field(default="UTC", description="whose clock these are, as in Europe/Berlin")
    escalate_to: Text | None = Field(default=None, description="the owner who is told next where nobody acknowledges")
    escalate_minutes: int | None = Field(
        default=None, ge=1, le=7 * 24 * 60, description="how long the next owner is left alone"
    )

    @model_validator(mode="after")
    def _goes_together(self) -> "AlertRoute":
        if self.severity == "page" and (self.quiet_hours or self.digest_at):
            raise ValueError("a page waits for nothing: quiet_hours and digest_at belong to a route of severity tell")
        if (self.escalate_to is None) != (self.escalate_minutes is None):
            raise ValueError("escalate_to and escalate_minutes go together")
        return self


class AlertRules(BaseModel):
    """[alerts.rules]: what is told as a spike; `wom replay` shows what a change would do (warehouse/spike_rules.py)."""

    model_config = _STRICT

    opens: float = Field(default=DEFAULT.opens, ge=1, le=50, description="score that opens a spike")
    holds: float = Field(default=DEFAULT.holds, ge=0, le=50, description="score with which it goes on")
    pages: float = Field(default=DEFAULT.pages, ge=1, le=50, description="score that may wake somebody")
    tell_rate: float = Field(default=DEFAULT.tell_rate, gt=0, le=1, description="share of false ones borne among all")
    page_rate: float = Field(default=DEFAULT.page_rate, gt=0, le=1, description="the same among those that page")
    negatives_at_least: int = Field(
        default=DEFAULT.negatives_at_least, ge=2, le=1_000_000, description="negative mentions a spike has"
    )
    times_expected_at_least: float = Field(
        default=DEFAULT.times_expected_at_least, ge=1, le=1000, description="and how many times as many as usual"
    )
    share_above_at_least: float = Field(
        default=DEFAULT.share_above_at_least, ge=0, le=1, description="and how far their share lies above the usual one"
    )

    @model_validator(mode="after")
    def _is_in_order(self) -> "AlertRules":
        if self.holds > self.opens:
            raise ValueError(f"holds ({self.holds:g}) is above opens ({self.opens:g}): no spike would go on")
        return self

    @property
    def as_rules(self) -> Rules:
        """Return them as the detector takes them."""
        return Rules(**self.model_dump())


class AlertSettings(BaseModel):
    """[alerts]: what is told, and how."""

    model_config = _STRICT

    mail_env: Text | None = Field(
        default=None,
        description="the environment variable that holds the mail server as an Apprise URL, mailtos://...?from=...",
    )
    report_url: WebAddress | None = Field(
        default=None, description="where what `wom report` writes is served; messages then link to it"
    )
    report_file: Path | None = Field(
        default=None, description="where each publish writes that page anew, so that links find what they tell of"
    )
    target: tuple[AlertTarget, ...] = ()
    route: tuple[AlertRoute, ...] = ()
    rules: AlertRules = AlertRules()

    @field_validator("target", "route", mode="before")
    @classmethod
    def _a_list_of_tables(cls, value: Any, info: Any) -> Any:
        return _tables(f"alerts.{info.field_name}", value)


class HousekeepingSettings(BaseModel):
    """[housekeeping]: what is kept, and how long."""

    model_config = _STRICT

    keep_days: dict[str, Annotated[int, Field(ge=1, le=36_500)]] = Field(
        default={},
        description="days after its fetch that what a source brought is kept, by source; `default` for the others; "
        "for ever unless set",
    )

    @field_validator("keep_days")
    @classmethod
    def _of_sources(cls, keep_days: dict[str, int]) -> dict[str, int]:
        valid = [*sorted(SOURCES), EVERY_OTHER_SOURCE]
        for name in keep_days:
            if name not in valid:
                raise ValueError(f"{name!r} is no source; valid: {', '.join(valid)}{_meant(name, valid)}")
        return keep_days

    def kept_for(self, source: str) -> int | None:
        """Return how many days after its fetch what a source brought is kept; None: for ever."""
        return self.keep_days.get(source, self.keep_days.get(EVERY_OTHER_SOURCE))


class Settings(BaseModel):
    """Everything a stage is told from outside. `source_file` is where the brands and feeds stand."""

    model_config = ConfigDict(frozen=True)

    source_file: Path
    brands: tuple[BrandSettings, ...]
    feeds: tuple[FeedOptions, ...]
    collect: CollectSettings
    alerts: AlertSettings
    housekeeping: HousekeepingSettings
    lake: str
    database: Path
    author_key: bytes | None = Field(repr=False)

    @property
    def recognised(self) -> tuple[Brand, ...]:
        """Return the brands with only what recognises them: whom to tell changes no mention."""
        return tuple(Brand(**brand.model_dump(include=set(Brand.model_fields))) for brand in self.brands)

    @property
    def abouts(self) -> dict[str, str]:
        """Return the brand each single-brand feed is about, by feed id."""
        return {feed.id: feed.about for feed in self.feeds if feed.about}


class _File(BaseModel):
    """listening.toml as written; the feeds are read once more by their source's own Options."""

    model_config = _STRICT

    brand: tuple[BrandSettings, ...] = ()
    feed: tuple[dict[str, Any], ...] = ()
    collect: CollectSettings = CollectSettings()
    alerts: AlertSettings = AlertSettings()
    housekeeping: HousekeepingSettings = HousekeepingSettings()

    @field_validator("brand", "feed", mode="before")
    @classmethod
    def _a_list_of_tables(cls, value: Any, info: Any) -> Any:
        return _tables(info.field_name, value)


def address_of(feed: FeedOptions) -> str | None:
    """Return where a feed is read, without user, password and secret parameters; None if its source has one place."""
    from listeners.shown import shown  # httpx takes a while: not at every start of the command line

    url = getattr(feed, "url", None)
    return None if url is None else shown(url)


def config_path(environment: Mapping[str, str]) -> Path:
    """Return where listening.toml is, whether it is there or not."""
    return Path(environment.get("WOM_CONFIG") or "listening.toml")


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of this process. Raises SettingsError."""
    path = config_path(environment)
    lake = environment.get("WOM_LAKE") or "lake"
    return read_settings(path, lake=lake, environment=environment)


def read_settings(path: Path, *, lake: str, environment: Mapping[str, str]) -> Settings:
    """Return the settings of one listening.toml and one lake. Raises SettingsError."""
    if re.match("s3://[^/?]*[:@]", lake):
        raise SettingsError(
            "WOM_LAKE holds a key, or a port: name s3://bucket/prefix alone. The key belongs in AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, the address of a store that is not AWS in AWS_ENDPOINT_URL"
        )
    toml = _read_text(path)
    try:
        document = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError; so is a number of 5,000 digits
        raise SettingsError(f"{path}: this is not TOML: {error}") from error
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        raise SettingsError(_explain(path, toml, error, within=(), model=_File)) from error
    if not file.brand:
        raise SettingsError(
            f'{path}: there is no [[brand]]. Name whom to listen for:\n\n    [[brand]]\n    name = "Acme"'
        )
    if not file.feed:
        raise SettingsError(
            f"{path}: there is no [[feed]]. Name where to listen:"
            '\n\n    [[feed]]\n    id = "hn"\n    source = "hackernews"'
        )
    feeds = tuple(_feed(path, toml, number, table) for number, table in enumerate(file.feed))
    _refuse_contradictions(path, toml, file, feeds)
    key = environment.get("WOM_AUTHOR_KEY")
    return Settings(
        source_file=path,
        brands=file.brand,
        feeds=feeds,
        collect=file.collect,
        alerts=file.alerts,
        housekeeping=file.housekeeping,
        lake=lake,
        database=database_path(lake, environment),
        author_key=key.encode() if key else None,
    )


def read_rules(path: Path) -> Rules:
    """Return what [alerts.rules] says in a TOML file, whatever else stands there. Raises SettingsError."""
    if not path.exists():
        raise SettingsError(f"--rules {path}: no such file")
    toml = _read_text(path)
    try:
        document = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: this is not TOML: {error}") from error
    alerts = document.get("alerts")
    if not isinstance(alerts, dict) or "rules" not in alerts:
        raise SettingsError(
            f"{path}: there is no [alerts.rules]; write at least one, as in:\n\n    [alerts.rules]\n    opens = 4"
        )
    try:
        return AlertRules.model_validate(alerts["rules"]).as_rules
    except ValidationError as error:
        raise SettingsError(_explain(path, toml, error, within=("alerts", "rules"), model=AlertRules)) from error


def database_path(lake: str, environment: Mapping[str, str]) -> Path:
    """Return where the DuckDB file is. It is always local: DuckDB writes no object store. Raises SettingsError."""
    if named := environment.get("WOM_DATABASE"):
        if "://" in named:
            raise SettingsError(
                "WOM_DATABASE is a URL: name a file of this machine. DuckDB writes no object store; copy the finished "
                "file there"
            )
        return Path(named)
    if "://" not in lake or lake.startswith("file://"):
        return Path(lake.removeprefix("file://")) / "word_of_mouse.duckdb"
    return Path("word_of_mouse.duckdb")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # editors on Windows begin a file with a byte order mark
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path}: no such file. Write one (README, 'What to listen for'), or name yours in WOM_CONFIG."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}, line {line}: this is not UTF-8: save the file as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error


def _feed(path: Path, toml: str, number: int, table: dict[str, Any]) -> FeedOptions:
    source = table.get("source")
    if not isinstance(source, str) or source not in SOURCES:
        found = "is missing" if source is None else f"is {_found('source', source)}"
        raise SettingsError(
            f"{_place(path, toml, ('feed', number, 'source'))}: source {found}; "
            f"valid: {', '.join(sorted(SOURCES))}{_meant(str(source), SOURCES)}"
        )
    options = load(source).Options
    try:
        return options.model_validate(table)
    except ValidationError as error:
        raise SettingsError(_explain(path, toml, error, within=("feed", number), model=options)) from error


def _refuse_contradictions(path: Path, toml: str, file: _File, feeds: tuple[FeedOptions, ...]) -> None:
    names = [brand.name for brand in file.brand]
    if (number := _second(names)) is not None:
        place = _place(path, toml, ("brand", number, "name"))
        raise SettingsError(f"{place}: brand {names[number]!r} is there twice")
    if (number := _second([feed.id for feed in feeds])) is not None:
        place = _place(path, toml, ("feed", number, "id"))
        raise SettingsError(f"{place}: feed id {feeds[number].id!r} is there twice")
    if (number := _second([target.name for target in file.alerts.target])) is not None:
        place = _place(path, toml, ("alerts", "target", number, "name"))
        raise SettingsError(f"{place}: alert target {file.alerts.target[number].name!r} is there twice")
    known = set(names)
    for number, feed in enumerate(feeds):
        if feed.about is not None and feed.about not in known:
            raise SettingsError(
                f"{_place(path, toml, ('feed', number, 'about'))}: about is {feed.about!r}, "
                f"which is no [[brand]]; valid: {', '.join(names)}{_meant(feed.about, names)}"
            )


def _second(names: Sequence[str]) -> int | None:
    """Return the place of the first name that was there before."""
    met: set[str] = set()
    for number, name in enumerate(names):
        if name in met:
            return number
        met.add(name)
    return None


def _explain(path: Path, toml: str, error: ValidationError, *, within: tuple[str | int, ...], model: Any) -> str:
    """Return one line per mistake: file, line, key, what was found, what is valid."""
    return "\n".join(_mistake(path, toml, dict(found), within, model) for found in error.errors(include_url=False))


def _mistake(path: Path, toml: str, found: dict[str, Any], within: tuple[str | int, ...], model: Any) -> str:
    where = (*within, *(part for part in found["loc"] if part != "[key]"))
    key = next((str(part) for part in reversed(where) if isinstance(part, str)), "")
    place = _place(path, toml, where)
    if found["type"] == "extra_forbidden":
        valid = _keys(model, found["loc"][:-1])
        return f"{place}: unknown key {key!r}; valid: {', '.join(valid)}{_meant(key, valid)}"
    if found["type"] == "missing":
        return f"{place}: {key} is missing"
    if found["type"] == "literal_error" and found["loc"][-1] == "[key]":
        valid = get_args(Owned)
        return f"{place}: unknown key {key!r}; valid: {', '.join(valid)}{_meant(key, valid)}"
    message = _DUE.get(found["type"]) or found["msg"].removeprefix("Value error, ")
    return f"{place}: {key} is {_found(key, found['input'])}: {message}"


def _found(key: str, value: Any) -> str:
    """Return a wrong value as it may be shown: secrets may be in tables, and in all but the start of a URL."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "a list of tables or lists"
    shown = re.sub(r"""://[^'"]*""", "://...", repr(value))
    if key == "url":  # without its scheme, if it is text at all
        shown = re.sub(r"""[^'"]*@""", "***@", re.sub(r"""\?[^'"]*""", "?...", shown))
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _keys(model: Any, where: Iterable[str | int]) -> list[str]:
    """Return the keys valid in the table at `where`, counted from the model of the whole."""
    for part in where:
        if isinstance(part, str):
            nested = model.model_fields[part].annotation
            model = next((kind for kind in (*get_args(nested), nested) if hasattr(kind, "model_fields")), model)
    return sorted(model.model_fields)


def _place(path: Path, toml: str, where: tuple[str | int, ...]) -> str:
    line = line_of(toml, where)
    return f"{path}, line {line}" if line else str(path)


def _meant(word: str, valid: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(valid), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
