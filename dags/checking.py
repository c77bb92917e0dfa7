"""What `wom check` reports: the settings as understood, and what would go wrong later."""

from collections.abc import Mapping
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from dags.checking_alerts import alert_warnings, who_is_told
from dags.settings import Settings, address_of
from listeners.feed import FeedOptions
from listeners.registry import SOURCES, load


def report(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return brands, feeds, who is told, and warnings."""
    names = {brand.name for brand in settings.brands}
    warnings = [
        f"{brand.name}: competitor {competitor!r} is no [[brand]], so nothing is counted for it"
        for brand in settings.brands
        for competitor in brand.competitors
        if competitor not in names
    ]
    warnings += _shared_names(settings)
    warnings += alert_warnings(settings, environment)
    for feed in settings.feeds:
        named = [value for key, value in feed if key.endswith("_env") and isinstance(value, str)]
        warnings += [f"{feed.id}: {name} is not set" for name in named if not environment.get(name)]
    return {
        "brands": [
            {
                "brand": brand.name,
                "recognised_by": [brand.name, *brand.aliases, *brand.handles, *brand.domains],
                "competitors": list(brand.competitors),
                "owners": {str(aspect): owner for aspect, owner in brand.owners.items()},
            }
            for brand in settings.brands
        ],
        "feeds": [
            {
                "feed": feed.id,
                "source": feed.source,
                "url": address_of(feed),
                "keep": feed.keep,
                "about": feed.about,
            }
            for feed in settings.feeds
        ],
        "told": who_is_told(settings),
        "warnings": warnings,
    }


def source_keys() -> list[dict[str, Any]]:
    """Return every key of every source, with its type, default and meaning."""
    rows = []
    for source in sorted(SOURCES):
        for key, field in load(source).Options.model_fields.items():
            default = field.default
            rows.append(
                {
                    "source": source,
                    "key": key,
                    "type": _told(field.annotation),
                    "default": "required" if field.is_required() else list(default) if default == () else default,
                    "meaning": field.description,
                }
            )
    return rows


def told_once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the keys with those that every source takes said once, at the top."""
    common = [row for row in rows if row["source"] == rows[0]["source"] and row["key"] in FeedOptions.model_fields]
    own = [row for row in rows if row["key"] not in FeedOptions.model_fields]
    return [{**row, "source": "(every one)"} for row in common] + own


def _shared_names(settings: Settings) -> list[str]:
    called: dict[str, list[str]] = {}
    for brand in settings.brands:
        words = (brand.name, *brand.aliases, *brand.handles, *brand.domains)
        for word in dict.fromkeys(word.casefold() for word in words):
            called.setdefault(word, []).append(brand.name)
    return [
        f"{' and '.join(brands)} share the name {word!r}: a post that says it is a mention of each"
        for word, brands in called.items()
        if len(brands) > 1
    ]


def _told(kind: Any) -> str:
    """Return a key's type as a person writes it in TOML."""
    if get_origin(kind) is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(kind))
    if get_origin(kind) is Annotated:
        return _told(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return "list of text" if _told(get_args(kind)[0]) == "text" else "list of numbers"
    if get_origin(kind) is dict:
        return "table"
    if args := get_args(kind):
        return " or ".join(_told(choice) for choice in args if choice is not NoneType)
    names = {str: "text", int: "number", float: "number", bool: "true or false"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))
