"""`wom enrich --from --to`: a file of posts judged into another."""

import json

import pytest

from dags.enriching import enrich_file
from dags.settings import SettingsError


def test_a_file_is_judged_into_another_line_by_line_without_any_listening_toml(tmp_path):
    source, target = tmp_path / "posts.jsonl", tmp_path / "mentions.jsonl"
    post = json.dumps({"post_id": "1", "text": "Acme lost my parcel, awful", "brand": "Acme"}).encode()
    source.write_bytes(b"\xef\xbb\xbf" + post + b"\n\xff\n" + post + b"\n")
    told = enrich_file(source, target, overall=False, environment={"WOM_CONFIG": str(tmp_path / "none.toml")})
    assert (told.lines, told.errors) == (3, 1)
    first, wrong, last = map(json.loads, target.read_text().splitlines())
    assert (first["brand"], first["sentiment"]) == ("Acme", -1)
    assert first == last
    assert wrong["error"].startswith("line 2: ")


def test_what_cannot_be_read_or_written_is_named_and_leaves_nothing_behind(tmp_path):
    environment = {"WOM_CONFIG": str(tmp_path / "none.toml")}
    with pytest.raises(SettingsError, match=r"--from .*nope"):
        enrich_file(tmp_path / "nope", tmp_path / "out", overall=False, environment=environment)
    (tmp_path / "in").write_text("")
    with pytest.raises(SettingsError, match="--to "):
        enrich_file(tmp_path / "in", tmp_path / "no-folder" / "out", overall=False, environment=environment)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
