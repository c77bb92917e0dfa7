-- quantile_of(sorted, share): the value below which a share of sorted numbers lies, as quantile_cont has it.
-- Grain:   a number; NULL of none.
-- Read by: consistency.
-- Takes:   sorted, a list, the least first; share: of 0 to 1, what lies beyond being taken for the end.
-- Method:  linear between neighbours. quantile_cont itself takes no share that depends on rows.
CREATE OR REPLACE MACRO quantile_of(sorted, share) AS
    list_transform(
        [(len(sorted) - 1) * least(greatest(share, 0), 1)],
        lambda place: sorted[1 + floor(place)::INT]
            + (place - floor(place)) * (coalesce(sorted[2 + floor(place)::INT], 0) - sorted[1 + floor(place)::INT])
    )[1]
