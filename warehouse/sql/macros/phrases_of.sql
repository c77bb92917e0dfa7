-- phrases_of(title, text): the words of a text, and the pairs of words that stand side by side.
-- Grain:   a list of phrases in lower case, each once.
-- Read by: complaint_phrases, phrases_that_grew, what_grew.
-- Method:  English function words neither begin nor end a phrase, and no pair reaches over a stop. Addresses and
--          numbers are none.
CREATE OR REPLACE MACRO phrases_of(title, text) AS
    list_distinct(list_filter(flatten(list_transform(
        [list_transform(
            regexp_extract_all(
                regexp_replace(lower(replace(concat_ws(' . ', title, text), '’', '''')),
                               'https?://\S+|\b\d+\b|\n', ' . ', 'g'),
                '[\pL\pN]+(?:''\pL+)*|[.,;:!?]'),  -- stops are kept: no pair reaches over one
            lambda word: CASE WHEN list_contains([
                '.', ',', ';', ':', '!', '?', 'a', 'about', 'after', 'again', 'all', 'also', 'am', 'an', 'and', 'any',
                'are', 'as', 'at', 'be', 'because', 'been', 'but', 'by', 'can', 'could', 'did', 'do', 'does', 'even',
                'for', 'from', 'get', 'got', 'had', 'has', 'have', 'he', 'her', 'his', 'how', 'i', 'if', 'im', 'in',
                'into', 'is', 'it', 'its', 'ive', 'just', 'like', 'me', 'more', 'much', 'my', 'no', 'not', 'now', 'of',
                'off', 'on', 'one', 'only', 'or', 'our', 'out', 'over', 'she', 'so', 'some', 'still', 'than', 'that',
                'the', 'their', 'them', 'then', 'there', 'these', 'they', 'this', 'to', 'too', 'up', 'us', 'very',
                'was', 'we', 'were', 'what', 'when', 'where', 'which', 'who', 'why', 'will', 'with', 'would', 'you',
                'your', 'don''t', 'doesn''t', 'didn''t', 'isn''t', 'can''t', 'i''m', 'i''ve', 'it''s'
            ], word) THEN '' ELSE word END)],
        lambda words: list_concat(words, list_transform(
            list_zip(words[:-2], words[2:]),
            lambda pair: CASE WHEN pair[1] <> '' AND pair[2] <> '' THEN pair[1] || ' ' || pair[2] ELSE '' END)))),
        lambda phrase: phrase <> ''))
