"""Fit the mention model: one loop, every head at once, each from the examples that tell something of it.

    python -m nlp.training.train FOLDER TO [--from CHECKPOINT] [--seed 1] [--rate 1.5e-4] [--minutes 35]
                                [--threads 1] [--keep SET=TIMES ...]
                                [--teacher BASE [--taught-by CHECKPOINT]]

FOLDER holds the labelled sets (nlp/training/mentions.py and tagged.py say which). TO is a folder: it receives last.pt
every few minutes, from which the same command goes on if broken off, and model.pt in the end. --from starts from the
model.pt of an earlier run (or of recover.py), and also learns sarcasm from it: sarcastic texts (iSarcasmEval) with what
that model reads in their literal rephrases. --keep says how often a set's examples are shown (0.5: half of them, drawn
by the seed; 1 where nothing is said), by the first word of its name. One seed gives one order of examples. --minutes
ends the run early; the rate falls with the share of steps or of time, whichever is further, so what is shown last
always counts least. --teacher fits the larger model of teacher.py instead, whose base lies in that folder; with
--taught-by, the smaller one, which learns the side that such a fitted one hears beside the one that is told.

Cost (2026-11): about 100 examples per CPU second in bf16 where there is AMX, 65 in fp32; of the teacher, 19. One thread
does most on a machine that others use too: two wait for each other.
"""

# pyright: reportMissingImports=false

import argparse
import logging
import math
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from nlp.mention_labels import HEADS, PLACES
from nlp.mention_text import OF_NAME, SEP, Read, read
from nlp.named_entities import TAGS
from nlp.training.mentions import SIDES, Example, beside, examples, renamed, row, sarcasm
from nlp.training.model import MASK, MentionModel, tokenizer
from nlp.training.tagged import Tagged, allowed, tagged
from nlp.training.teacher import Teacher

BATCH = 32
LENGTHS = 8  # a batch's length is a multiple of: kernels are made anew for each
POOL = 64  # batches whose examples are sorted by length together
WARM_UP = 0.06  # share of the steps
DECAY = 0.01  # of weights
LAYER_RATE = 0.9  # each layer below learns at this share of the rate of the one above
HEADS_RATE = 5.0  # the heads begin at random
RENAMED = 0.25
HIDDEN = 0.05  # of the pieces of a text, so that no text is learned by heart
BESIDE = 0.5
NAMED = 0.6  # of the texts with tags
SAVE_EVERY = 300  # seconds
HEAD_WEIGHTS = {head.name: 0.3 if head.name.startswith("aspect_") else 1.0 for head in HEADS}  # aspects are 13
HEAD_WEIGHTS["sentiment"] = 2.0
TAG_WEIGHT = 0.25  # of a word
TAUGHT = 0.6  # share of a text's side that a teacher tells, if there is one

AMX = torch.cpu._is_amx_tile_supported()  # without it bf16 is slower than fp32

log = logging.getLogger("train")


class Item(NamedTuple):
    """An example as the model sees it.

    row: its labels as probabilities (NaN: unknown). tags: those that its pieces may have (None: any).
    """

    read: Read
    row: np.ndarray
    tags: np.ndarray | None = None


def items(of: Iterable[Example | Tagged], pieces: Tokenizer) -> list[Item]:
    """Return the examples cut into word pieces."""
    return [_tagged_item(one, pieces) if isinstance(one, Tagged) else _item(one, pieces) for one in of]


def _item(of: Example, pieces: Tokenizer) -> Item:
    return Item(read(pieces, of.text, of.name, of.span), row(of.labels))


def _tagged_item(of: Tagged, pieces: Tokenizer) -> Item:
    """Return a text with tags, judged for one of its words or for nobody: tags must not depend on that."""
    chance = random.Random(of.text)  # noqa: S311
    span = chance.choice(of.words) if chance.random() < NAMED else None
    found = read(pieces, of.text, of.text[slice(*span)] if span else "", span)
    return Item(found, row({}), allowed(of, found.words, len(found.ids)))


def drawn(of: Iterable[Example | Tagged], times: Mapping[str, float], seed: int) -> list[Example | Tagged]:
    """Return each example as often as its set is to be shown, in an order of chance."""
    chance = random.Random(seed)  # noqa: S311
    shown = []
    for example in of:
        wanted = times.get(example.set.split()[0], 1.0)
        shown += [example] * (int(wanted) + (chance.random() < wanted % 1))
    chance.shuffle(shown)
    return shown


def batches(of: Sequence[Item], seed: int) -> list[list[Item]]:
    """Return batches of about equal length, in an order of chance."""
    made = []
    for start in range(0, len(of), BATCH * POOL):
        pool = sorted(of[start : start + BATCH * POOL], key=lambda item: len(item.read.ids))
        made += [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
    random.Random(seed).shuffle(made)  # noqa: S311
    return made


def tensors(batch: Sequence[Item]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return ids and kinds, padded with 0, labels, and which tags each piece may have."""
    longest = -(-max(len(item.read.ids) for item in batch) // LENGTHS) * LENGTHS
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    kinds = torch.zeros_like(ids)
    tags = torch.ones(len(batch), longest, len(TAGS), dtype=torch.bool)
    for at, item in enumerate(batch):
        ids[at, : len(item.read.ids)] = torch.tensor(item.read.ids)
        kinds[at, : len(item.read.kinds)] = torch.tensor(item.read.kinds)
        if item.tags is not None:
            tags[at, : len(item.tags)] = torch.from_numpy(item.tags)
    return ids, kinds, torch.from_numpy(np.stack([item.row for item in batch])), tags


def hidden(ids: Tensor, kinds: Tensor) -> Tensor:
    """Return the ids with some of the text's pieces unreadable."""
    open_to_it = (torch.rand(ids.shape) < HIDDEN) & (kinds != OF_NAME) & (ids > SEP)
    return ids.masked_fill(open_to_it, MASK)


def loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the cross entropy of all heads, over what is known, per example of the batch."""
    total = scores.new_zeros(())
    for head in HEADS:
        told = labels[:, PLACES[head.name]]
        known = ~told[:, 0].isnan()
        if not known.any():
            continue
        given, told = scores[known, PLACES[head.name]], told[known]
        if head.any:
            one = functional.binary_cross_entropy_with_logits(given, told, reduction="sum")
        else:
            one = functional.cross_entropy(given, told, reduction="sum")
        total = total + HEAD_WEIGHTS[head.name] * one
    return total / len(labels)


@torch.no_grad()
def taught(teacher: Teacher, ids: Tensor, kinds: Tensor, labels: Tensor) -> Tensor:
    """Return the labels with the side as a teacher hears it mixed into what is told of it."""
    place = PLACES["sentiment"]
    with torch.autocast("cpu", torch.bfloat16, enabled=AMX):
        heard = teacher(ids, kinds)[0][:, place].float().softmax(-1)
    told = labels[:, place]
    labels[:, place] = torch.where(told.isnan(), heard, (1 - TAUGHT) * told + TAUGHT * heard)
    return labels


def tag_loss(scores: Tensor, tags: Tensor) -> Tensor:
    """Return what the tags that are allowed lack of all probability, as a logarithm, per example of the batch."""
    within = scores.float().log_softmax(-1).masked_fill(~tags, -torch.inf).logsumexp(-1)
    return -TAG_WEIGHT * within[~tags.all(-1)].sum() / len(tags)


def groups(model: MentionModel | Teacher, rate: float) -> list[dict[str, object]]:
    """Return the parameters with their rates: lower layers slower, heads faster."""
    layers = len(model.encoder.encoder.layer)
    made = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith(("heads", "tags")):
            own = rate * HEADS_RATE
        elif ".layer." in name:
            own = rate * LAYER_RATE ** (layers - 1 - int(name.split(".layer.")[1].split(".")[0]))
        else:
            own = rate * LAYER_RATE**layers
        made.append({"params": [parameter], "lr": own, "weight_decay": DECAY if parameter.ndim > 1 else 0.0})
    return made


def share_of_rate(done: float) -> float:
    """Return the share of the full rate when this share of the run is done: up in a line, down in half a cosine."""
    if done < WARM_UP:
        return max(done, 1e-4) / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


@torch.no_grad()
def meant(model: MentionModel | Teacher, pairs: Iterable[tuple[str, str]], pieces: Tokenizer) -> Iterator[Example]:
    """Yield sarcastic texts with the side, as probabilities, that the model sees in what was meant by each."""
    model.eval()
    for text, literal in pairs:
        ids, kinds, *_ = tensors([Item(read(pieces, literal), row({}))])
        sides = model(ids, kinds)[0][0, PLACES["sentiment"]].softmax(0).tolist()
        yield Example(text, "", None, {"sentiment": dict(zip(SIDES, sides, strict=True))}, "sarcasm")


def fit(
    model: MentionModel | Teacher,
    shown: Sequence[list[Item]],
    to: Path,
    rate: float,
    seconds: float,
    teacher: Teacher | None = None,
) -> None:
    """Fit the model to the batches, going on from TO/last.pt if there is one, until they or the seconds end.

    teacher: whose sides are learned beside the labels, those of texts that have no such label, too.
    """
    optimizer = torch.optim.AdamW(groups(model, rate), fused=True)
    full = [group["lr"] for group in optimizer.param_groups]
    first, spent = 0, 0.0
    last = to / "last.pt"
    if last.exists():
        kept = torch.load(last, weights_only=True)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        first, spent = kept["step"], kept["spent"]
    model.train()
    began = saved = time.monotonic()
    mean = None
    for step in range(first, len(shown)):
        passed = spent + time.monotonic() - began
        if passed > seconds:
            break
        for group, at_most in zip(optimizer.param_groups, full, strict=True):
            group["lr"] = at_most * share_of_rate(max(step / len(shown), passed / seconds))
        ids, kinds, labels, tags = tensors(shown[step])
        if teacher is not None:
            labels = taught(teacher, ids, kinds, labels)
        with torch.autocast("cpu", torch.bfloat16, enabled=AMX):
            scores, tag_scores = model(hidden(ids, kinds), kinds)
        cost = loss(scores.float(), labels) + tag_loss(tag_scores, tags)
        cost.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        mean = cost.item() if mean is None else 0.99 * mean + 0.01 * cost.item()
        if step % 100 == 99:
            pace = (step + 1 - first) * BATCH / (time.monotonic() - began)
            log.info("step %d of %d, loss %.3f, %.0f examples/s", step + 1, len(shown), mean, pace)
        if time.monotonic() - saved > SAVE_EVERY:
            saved = time.monotonic()
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state | {"step": step + 1, "spent": spent + saved - began}, to / "new.pt")
            (to / "new.pt").replace(last)
    torch.save(model.state_dict(), to / "model.pt")
    last.unlink(missing_ok=True)


def models(base: Path | None, taught_by: Path | None) -> tuple[MentionModel | Teacher, Teacher | None]:
    """Return the model to be fitted, and the teacher that it learns from, if any.

    base: of the larger model. taught_by: a checkpoint of it; None: it is the one to be fitted.
    """
    if base is None:
        return MentionModel(), None
    larger = Teacher(base)
    if taught_by is None:
        return larger, None
    larger.load_state_dict(torch.load(taught_by, weights_only=True))
    return MentionModel(), larger.eval()


def times(told: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Yield set and times of `SET=TIMES`."""
    for one in told:
        name, _, number = one.partition("=")
        yield name, float(number)


def main() -> None:
    """Read the command line and fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("--from", dest="start", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--taught-by", type=Path)
    parser.add_argument("--keep", nargs="*", default=[])
    told = parser.parse_args()
    if told.taught_by and not told.teacher:
        parser.error("--taught-by needs --teacher: the folder of the base that its checkpoint was fitted from")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    told.to.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(told.seed)
    torch.set_num_threads(told.threads)
    pieces, (model, teacher) = tokenizer(), models(told.teacher, told.taught_by)
    known: list[Example] = list(examples(told.folder, "fitted"))
    if told.start:
        found = model.load_state_dict(torch.load(told.start, weights_only=True), strict=False)
        log.info("begins at random: %s", found.missing_keys)
        known += meant(model, sarcasm(told.folder), pieces)
    known = list(beside(list(renamed(known, RENAMED, told.seed)), BESIDE, told.seed))
    shown = drawn([*known, *tagged(told.folder, "fitted")], dict(times(told.keep)), told.seed)
    made = batches(items(shown, pieces), told.seed)
    log.info("%d examples, %d batches", len(shown), len(made))
    fit(model, made, told.to, told.rate, told.minutes * 60, teacher)


if __name__ == "__main__":
    main()
