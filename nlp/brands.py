"""Brand: what tells that a text names a company."""

from pydantic import BaseModel, ConfigDict, Field


class Brand(BaseModel):
    """What a [[brand]] table of listening.toml says about recognising the brand. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="the name in every table and report; matched like an alias")
    aliases: tuple[str, ...] = Field(default=(), description="other names: whole words, case ignored")
    cased: bool = Field(default=False, description="true for names that are words: upper and lower case must agree")
    handles: tuple[str, ...] = Field(default=(), description='accounts: "@acme" or "@acme@mastodon.social"')
    domains: tuple[str, ...] = Field(default=(), description='in links: "acme.com" (its subdomains too)')
    exclude: tuple[str, ...] = Field(default=(), description="phrases that make the name something else")
    context: tuple[str, ...] = Field(default=(), description="what speaks for the company where the name is ambiguous")
