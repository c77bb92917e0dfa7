"""Which language a text is taken to be in."""

import pytest

from nlp.languages import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Acme charged me twice and nobody answers the phone", "en"),
        ("Le service client ne répond jamais, je vais partir", "fr"),
        ("Seit drei Tagen kein Internet, danke für nichts", "de"),
        ("La fibra lleva toda la semana caída, qué vergüenza", "es"),
        ("最高のサービスでした、ありがとう", "ja"),
    ],
)
def test_a_sentence_tells_its_language_whatever_the_source_declares(text, language):
    assert detect(text) == language
    assert detect(text, declared="pl") == language


@pytest.mark.parametrize("text", ["", "😡😡😡", "@acme #acme https://acme.com", "ok", "12:30"])
def test_a_text_that_tells_nothing_is_in_the_language_declared_or_none(text):
    assert detect(text) is None
    assert detect(text, declared="de-AT") == "de"
