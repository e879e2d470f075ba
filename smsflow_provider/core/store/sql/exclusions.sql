-- excluded_page --
-- Who was left out of one preparation for one reason, in the order of their rows. Walks the index on (reason, row_number)
-- of the preparation's partition, which the two comparisons of pairs alone can use, however rare the reason is and
-- wherever its rows lie; a small preparation has none and is read whole.
SELECT row_number, recipient_id, phone, detail, winner_id FROM smsflow_exclusions
 WHERE preparation = %(preparation)s
   AND (reason, row_number) > (%(reason)s::text, %(after)s::integer)
   AND (reason, row_number) <= (%(reason)s::text, 2147483647)
 ORDER BY reason, row_number LIMIT %(limit)s;
