-- add_to_chunk --
-- Add to the counters of one chunk. Walks the primary key.
UPDATE smsflow_chunks
   SET accepted = accepted + %(accepted)s, failed = failed + %(failed)s, unknown = unknown + %(unknown)s,
       cancelled = cancelled + %(cancelled)s, expired = expired + %(expired)s, waiting = waiting + %(waiting)s,
       delivered = delivered + %(delivered)s, undelivered = undelivered + %(undelivered)s
 WHERE preparation = %(preparation)s AND chunk = %(chunk)s;
