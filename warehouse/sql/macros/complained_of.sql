-- complained_of(aspects): what a mention complains of.
-- Grain:   a list of aspects by name, each once, sorted; NULL if aspects were not judged.
-- Read by: voices, voices_in, phrases_that_grew, what_grew, spike_counts, unowned.
-- Takes:   aspects, as mentions has them.
CREATE OR REPLACE MACRO complained_of(aspects) AS
    list_sort(list_distinct(list_transform(list_filter(aspects, lambda found: found.sentiment < 0),
                                           lambda found: found.aspect)))
