-- #warn: of an erasure only the brands are known, not what may not come back: is a file of the lake lost? `wom doctor`
--        tells; forget the same again
-- Warns:  what is in the file stays right, and who asked to be forgotten is gone from it; they might be read again.
-- Reads:  lake.erasures.
SELECT erasure_id, any_value(brand) AS brand, min("at") AS "at"
FROM lake.erasures
GROUP BY erasure_id
HAVING NOT bool_or(brand IS NULL)
