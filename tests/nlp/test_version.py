"""The version changes with what changes mentions, and with nothing else."""

import subprocess
import sys

from nlp.brands import Brand
from nlp.version import nlp_version

ACME = Brand(name="Acme", aliases=("Acme Corp", "Acme Inc"))
GLOBEX = Brand(name="Globex")


def test_order_plays_no_part():
    turned = Brand(name="Acme", aliases=("Acme Inc", "Acme Corp"))
    assert nlp_version([ACME, GLOBEX], {"a": "Acme", "b": "Globex"}) == nlp_version(
        [GLOBEX, turned], {"b": "Globex", "a": "Acme"}
    )


def test_every_recognition_field_and_every_about_plays_one():
    same = nlp_version([ACME], {})
    others = [
        nlp_version([ACME.model_copy(update=change)], {})
        for change in (
            {"aliases": ()}, {"cased": True}, {"handles": ("@acme",)}, {"domains": ("acme.com",)},
            {"exclude": ("acme hill",)}, {"context": ("router",)}, {"name": "Acmé"},
        )
    ]  # fmt: skip
    assert len({same, *others, nlp_version([ACME], {"a": "Acme"}), nlp_version([ACME, GLOBEX], {})}) == 10


def test_it_can_be_told_without_loading_spacy():
    code = "import sys, nlp.version as v; v.nlp_version([], {}); print('spacy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
