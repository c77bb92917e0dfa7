"""Where in listening.toml a value stands."""

from dags.toml_lines import line_of

TOML = """\
# comment
[[brand]]
name = "Acme"
owners = { default = "a@acme.example" }

[[brand]]
name = "Globex"

[collect]
allow_hosts = []

[[alerts.target]]
name = "chat"
"""


def test_a_key_of_the_second_of_several_tables_has_its_own_line():
    assert line_of(TOML, ("brand", 1, "name")) == 7


def test_a_key_within_an_inline_table_is_found_at_the_line_that_holds_it():
    assert line_of(TOML, ("brand", 0, "owners", "default")) == 4


def test_a_missing_key_is_found_at_its_table():
    assert line_of(TOML, ("brand", 1, "aliases")) == 6


def test_a_table_within_a_table_is_found():
    assert line_of(TOML, ("alerts", "target", 0, "name")) == 13


def test_what_stands_nowhere_has_no_line():
    assert line_of(TOML, ("feed", 0, "id")) is None
