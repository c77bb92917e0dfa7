"""Brand: what tells that a text names a company."""

import unicodedata
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Brand(BaseModel):
    """What a [[brand]] table of listening.toml says about recognising the brand. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Words = Field(description="the name in every table and report; matched like an alias")
    aliases: tuple[Words, ...] = Field(default=(), description="other names: whole words, case ignored")
    cased: bool = Field(default=False, description="true for names that are words: upper and lower case must agree")
    handles: tuple[Words, ...] = Field(default=(), description='accounts: "@acme" or "@acme@mastodon.social"')
    domains: tuple[Words, ...] = Field(default=(), description='in links: "acme.com" (its subdomains too)')
    exclude: tuple[Words, ...] = Field(default=(), description="phrases that make the name something else")
    context: tuple[Words, ...] = Field(
        default=(), description="what speaks for the company where the name is ambiguous"
    )

    @field_validator("name")
    @classmethod
    def _can_be_seen(cls, name: str) -> str:
        kinds = [unicodedata.category(character) for character in name]
        if "Cc" in kinds or all(kind[0] in "CZM" for kind in kinds):
            raise ValueError("a name has something to see in it, and no line end or other control character")
        return name
