"""How a text speaks of the brands it names: words, idioms, clauses and comparisons, without spaCy."""
