"""The errors stored with the model are found, and their absence is no error."""

import json

from nlp.sentiment_errors import sentiment_errors


def test_measured_errors_are_those_of_the_sentiment_head(tmp_path):
    path = tmp_path / "labels.json"
    assert sentiment_errors(path) is None
    path.write_text(json.dumps({"heads": {"sentiment": {"labels": []}}}))
    assert sentiment_errors(path) is None
    counts = [[8, 1, 1], [1, 8, 1], [0, 1, 9]]
    path.write_text(json.dumps({"heads": {"sentiment": {"confusion": counts}}}))
    assert sentiment_errors(path) == counts
