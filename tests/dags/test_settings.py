"""listening.toml: what is accepted, and what is said about what is not."""

import re
from datetime import time
from pathlib import Path

import pytest

from dags.settings import SettingsError, address_of, load_settings, read_settings

BRAND = '[[brand]]\nname = "Acme"\n'
FEED = '\n[[feed]]\nid = "hn"\nsource = "hackernews"\n'


@pytest.fixture
def read(tmp_path):
    """Write a listening.toml and return the settings it makes."""

    def write_and_read(text: str, **environment: str):
        file = tmp_path / "listening.toml"
        file.write_text(text, encoding="utf-8")
        return read_settings(file, lake="lake", environment=environment)

    return write_and_read


def test_the_file_that_comes_with_the_project_is_valid():
    settings = load_settings({"WOM_CONFIG": str(Path(__file__).parents[2] / "listening.toml")})
    assert [brand.name for brand in settings.brands] == ["Firefox", "Brave"]
    assert {feed.source for feed in settings.feeds} == {"hackernews", "mastodon", "rss"}


def test_how_long_a_source_is_kept_is_its_own_number_or_that_of_the_others(read):
    told = read(BRAND + FEED + "\n[housekeeping]\nkeep_days = { mastodon = 90, default = 730 }\n").housekeeping
    assert [told.kept_for(source) for source in ("mastodon", "rss")] == [90, 730]
    assert read(BRAND + FEED).housekeeping.kept_for("rss") is None


def test_what_the_readme_and_the_file_that_comes_along_say_of_keep_days_is_valid(read):
    root = Path(__file__).parents[2]
    in_readme = re.findall(r"```toml\n(\[housekeeping\]\n.*?)```", (root / "README.md").read_text(), re.DOTALL)
    commented = re.findall(r"^# (keep_days = .*)$", (root / "listening.toml").read_text(), re.MULTILINE)
    for text in (*in_readme, *(f"[housekeeping]\n{line}\n" for line in commented)):
        assert read(BRAND + FEED + "\n" + text).housekeeping.kept_for("mastodon") == 365
    assert len(in_readme) == len(commented) == 1


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{ mastodo = 90 }", r"line 9: keep_days .*'mastodo' is no source; valid: .*did you mean 'mastodon'"),
        ("{ rss = 0 }", r"line 9: rss is 0: .*greater than or equal to 1"),
        ("30", "line 9: keep_days is 30: a table is due"),
    ],
)
def test_a_wrong_keep_days_is_refused_with_what_would_be_right(read, written, said):
    with pytest.raises(SettingsError, match=said):
        read(BRAND + FEED + f"\n[housekeeping]\nkeep_days = {written}\n")


def test_a_full_brand_is_read_as_written(read):
    settings = read(
        """
        [[brand]]
        name = "Acme"
        aliases = ["Acme Corp", "acme"]
        handles = ["@acme", "@acme@mastodon.social"]
        domains = ["acme.com"]
        exclude = ["acme cartoons"]
        context = ["router", "phone plan"]
        competitors = ["Globex"]
        owners = { default = "care@acme.com", billing = "finance@acme.com", staff = "stores@acme.com" }
        """
        + FEED
    )
    [brand] = settings.brands
    assert brand.handles == ("@acme", "@acme@mastodon.social")
    assert dict(brand.owners)["billing"] == "finance@acme.com"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no [[brand]]"),
        (BRAND, "there is no [[feed]]"),
        ("brand = [", "this is not TOML"),
        (BRAND + 'alias = ["acme"]\n' + FEED, "line 3: unknown key 'alias'; valid: alerts, aliases,"),
        (BRAND + 'owners = { biling = "x@acme.example" }\n' + FEED, "line 3: unknown key 'biling'; valid: default,"),
        (BRAND + '[[feed]]\nid = "x"\nsource = "twiter"\n', "line 5: source is 'twiter'; valid: "),
        (BRAND + '[[feed]]\nid = "x"\n', "source is missing; valid: "),
        (BRAND + FEED + 'keep = "some"\n', "line 7: keep is 'some': Input should be 'matches' or 'all'"),
        (BRAND + FEED + 'about = "Acmee"\n', "line 7: about is 'Acmee', which is no [[brand]]; valid: Acme (did you mean"),
        (BRAND + FEED + "urls = 1\n", "line 7: unknown key 'urls'; valid:"),
        (BRAND + BRAND + FEED, "line 4: brand 'Acme' is there twice"),
        (BRAND + FEED + FEED, "line 9: feed id 'hn' is there twice"),
        (BRAND + '[[feed]]\nid = "Not an id"\nsource = "hackernews"\n', "line 4: id is 'Not an id': "),
        ('[brand]\nname = "Acme"\n' + FEED, "write [[brand]] with two brackets"),
        (BRAND + FEED + '[collect]\nconsent = "maybe"\n', "line 8: consent is 'maybe': Input should be 'opt_out' or 'opt_in'"),
        (BRAND + FEED + "[colect]\n", "unknown key 'colect'; valid: alerts, brand, collect, feed, housekeeping (did you mean 'collect'?)"),
        (BRAND + FEED + '[[alerts.target]]\nname = "x"\n', "give either url, or url_env"),
        (BRAND + FEED + '[alerts.target]\nname = "x"\n', "write [[alerts.target]] with two brackets"),
        (BRAND + FEED + '[[alerts.target]]\nname = "x"\nurl = "json://a"\n' * 2, "alert target 'x' is there twice"),
        (BRAND + FEED + '[alerts.route]\nowner = "x"\n', "write [[alerts.route]] with two brackets"),
        (BRAND + FEED + '[[alerts.route]]\nchanels = []\n', "line 8: unknown key 'chanels'; valid: channels, digest_at,"),
        (BRAND + FEED + '[[alerts.route]]\nseverity = "pag"\n', "line 8: severity is 'pag': Input should be 'tell' or 'page'"),
        (BRAND + FEED + '[[alerts.route]]\nquiet_hours = "22-7"\n', "line 8: quiet_hours is '22-7': two times of day are due"),
        (BRAND + FEED + '[[alerts.route]]\nquiet_hours = "22:00-27:00"\n', "line 8: quiet_hours is '22:00-27:00': a time of day"),
        (BRAND + FEED + '[[alerts.route]]\nquiet_hours = "00:00-24:00"\n', "are a whole day, and nothing would be told"),
        (BRAND + FEED + '[[alerts.route]]\ndigest_at = ["8:00"]\n', "line 8: digest_at is '8:00': a time of day is due"),
        (BRAND + FEED + '[[alerts.route]]\ntime_zone = "Europe/Bern"\n', "line 8: time_zone is 'Europe/Bern': no such time zone"),
        (BRAND + FEED + '[[alerts.route]]\nescalate_to = "x"\n', "line 7: route is a table: escalate_to and escalate_minutes go"),
        (BRAND + FEED + '[[alerts.route]]\nescalate_minutes = 0\n', "line 8: escalate_minutes is 0: Input should be greater"),
        (BRAND + FEED + '[[alerts.route]]\nseverity = "page"\ndigest_at = ["08:00"]\n', "a page waits for nothing"),
        ('brand = "x"\n' + FEED, "write [[brand]] with two brackets"),
        ('[[brand]]\nname = "   "\n' + FEED, "line 2: name is '   ': it is empty"),
        ('[[brand]]\nname = "\\u200b"\n' + FEED, "line 2: name is '\\u200b': a name has something to see in it"),
        ('[[brand]]\nname = "Ac\\nme"\n' + FEED, "line 2: name is 'Ac\\nme': a name has something to see in it, and no line end"),
        ('[[brand]]\nname = 5\n' + FEED, "line 2: name is 5: a text in quotes is due"),
        (BRAND + 'aliases = "acme"\n' + FEED, "line 3: aliases is 'acme': a list is due"),
        (BRAND + 'aliases = [" "]\n' + FEED, "line 3: aliases is ' ': it is empty"),
        (BRAND + 'owners = ["x"]\n' + FEED, "line 3: owners is ['x']: a table is due"),
        (BRAND + '[[feed]]\nid = "x"\nsource = ["rss"]\n', "line 5: source is ['rss']; valid: "),
        (BRAND + '[[feed]]\nid = "x"\nsource = { a = 1 }\n', "line 5: source is a table; valid: "),
        (BRAND + FEED + "query = 3\n", "line 7: query is 3: a list is due"),
        (BRAND + FEED + 'query = [""]\n', "line 7: query is '': it is empty"),
        (BRAND + FEED + 'url = "hn.example"\n', "line 7: url is 'hn.example': an address begins with https:// or http://"),
        (BRAND + FEED + 'url = "http://[::1/"\n', "line 7: url is 'http://...': Invalid IPv6 URL"),
        (BRAND + FEED + 'url = "http://hn.example:99999/"\n', "line 7: url is 'http://...': Port out of range"),
        (BRAND + FEED + '[collect]\ncontact = "a\\r\\nX-Evil: 1"\n', "line 8: contact is 'a\\r\\nX-Evil: 1': it is sent in a header"),
        (BRAND + FEED + f"x = {'[' * 5000}", "this is not TOML"),
        (BRAND + FEED + f"x = {'9' * 5000}", "this is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_is_valid(read, tmp_path, text, said):
    with pytest.raises(SettingsError) as error:
        read(text)
    assert str(error.value).startswith(str(tmp_path / "listening.toml"))
    assert said in str(error.value)


def test_every_mistake_is_named_at_once(read):
    with pytest.raises(SettingsError) as error:
        read('[[brand]]\nname = ""\nnames = []\n' + FEED)
    assert len(str(error.value).splitlines()) == 2


def test_a_missing_file_says_how_to_name_another():
    with pytest.raises(SettingsError, match="WOM_CONFIG"):
        load_settings({"WOM_CONFIG": "/nowhere/listening.toml"})


def test_any_name_is_a_brand_name(read):
    settings = read("[[brand]]\nname = '''O'Reilly \"DROP TABLE'''\n" + FEED)
    assert settings.brands[0].name == "O'Reilly \"DROP TABLE"


@pytest.mark.parametrize(
    ("lake", "named", "database"),
    [
        ("lake", None, "lake/word_of_mouse.duckdb"),
        ("file:///data/lake", None, "/data/lake/word_of_mouse.duckdb"),
        ("s3://bucket/lake", None, "word_of_mouse.duckdb"),
        ("lake", "elsewhere.duckdb", "elsewhere.duckdb"),
    ],
)
def test_the_database_is_in_a_local_lake_unless_named(tmp_path, lake, named, database):
    file = tmp_path / "listening.toml"
    file.write_text(BRAND + FEED)
    environment = {"WOM_DATABASE": named} if named else {}
    assert read_settings(file, lake=lake, environment=environment).database == Path(database)


@pytest.mark.parametrize("written", ['"Acme router"', '["Acme router"]'])
def test_one_phrase_needs_no_brackets(read, written):
    mastodon = f'\n[[feed]]\nid = "m"\nsource = "mastodon"\nurl = "https://m.example"\ntags = {written}\n'
    [hn, masto] = read(BRAND + FEED + f"query = {written}\n" + mastodon.replace("Acme router", "acme")).feeds
    assert (hn.query, masto.tags) == (("Acme router",), ("acme",))


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    file = tmp_path / "listening.toml"
    file.write_text(BRAND + FEED, encoding="utf-8-sig")
    assert read_settings(file, lake="lake", environment={}).brands[0].name == "Acme"


def test_a_file_that_is_not_utf8_is_named_with_the_line(tmp_path):
    file = tmp_path / "listening.toml"
    file.write_bytes(b'[[brand]]\nname = "Caf\xe9"\n')
    with pytest.raises(SettingsError, match="line 2: this is not UTF-8"):
        read_settings(file, lake="lake", environment={})


@pytest.mark.parametrize(
    "wrong",
    [
        '[[feed]]\nid = "r"\nsource = "rss"\nurl = "ftp://user:hunter2@a.example/"\n',
        '[[feed]]\nid = "r"\nsource = "rss"\nurl = "user:hunter2@a.example/"\n',
        '[[feed]]\nid = "r"\nsource = "rss"\nurl = "a.example/?key=hunter2"\n',
        '[[alerts.target]]\nname = "x"\nurl = "slack://hunter2/b/c"\nurl_env = "X"\n',
        '[[alerts.target]]\nname = "x"\nurl = ["slack://hunter2/b/c"]\n',
        '[alerts.target]\nname = "x"\nurl = "slack://hunter2/b/c"\n',
        '[alerts]\ntarget = [["slack://hunter2/b/c"]]\n',
        '[alerts]\ntarget = ["slack://hunter2/b c/hunter2"]\n',
    ],
)
def test_no_mistake_shows_a_secret(read, wrong):
    with pytest.raises(SettingsError) as error:
        read(BRAND + FEED + wrong)
    assert "hunter2" not in str(error.value)


def test_a_feeds_address_is_shown_without_its_secrets(read):
    url = "https://user:hunter2@a.example/f?token=hunter2&page=2"
    [_, feed] = read(BRAND + FEED + f'[[feed]]\nid = "r"\nsource = "rss"\nurl = "{url}"\n').feeds
    assert address_of(feed) == "https://a.example/f?token=***&page=2"


def test_the_author_key_is_never_shown(read):
    assert "hunter2" not in repr(read(BRAND + FEED, WOM_AUTHOR_KEY="hunter2"))


def test_a_route_is_read_as_written(read):
    [route] = read(
        BRAND + FEED + '[[alerts.route]]\nowner = "care"\nquiet_hours = "18:00-24:00"\ndigest_at = ["08:30"]\n'
        'time_zone = "Asia/Kathmandu"\nchannels = ["chat"]\nescalate_to = "head"\nescalate_minutes = 30\n'
    ).alerts.route  # fmt: skip
    assert (route.quiet_hours, route.digest_at) == ((time(18), time(0)), (time(8, 30),))
    assert (route.channels, route.escalate_to, route.escalate_minutes) == (("chat",), "head", 30)
