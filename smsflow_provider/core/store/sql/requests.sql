-- begin_request --
-- Claim a key. No row comes back where it is taken: under way, or answered. One whose process died is taken over
-- after a minute by the same request, one that is a day old by any. The hash of a body is an HMAC under a key of
-- the store: several, after a rotation. Walks the primary key.
INSERT INTO smsflow_requests AS r (actor, key, route, body_hash)
VALUES (%(actor)s, %(key)s, %(route)s, %(seal)s)
ON CONFLICT (actor, key) DO UPDATE
   SET route = excluded.route, body_hash = excluded.body_hash, status = NULL, answer = NULL,
       begun_at = clock_timestamp(), answered_at = NULL
 WHERE r.begun_at < clock_timestamp() - interval '24 hours'
    OR (r.answered_at IS NULL AND r.begun_at < clock_timestamp() - interval '60 seconds'
        AND r.route = excluded.route AND r.body_hash = ANY(%(seals)s))
RETURNING begun_at;

-- read_request --
-- What a key was used for, and what was answered. Walks the primary key.
SELECT route, body_hash, status, answer FROM smsflow_requests WHERE actor = %(actor)s AND key = %(key)s;

-- answer_request --
-- Keep an answer, unless somebody took the key over meanwhile. Walks the primary key.
UPDATE smsflow_requests SET status = %(status)s, answer = %(answer)s, answered_at = clock_timestamp()
 WHERE actor = %(actor)s AND key = %(key)s AND begun_at = %(begun_at)s AND answered_at IS NULL;

-- release_request --
-- Give a key back: nothing was done under it. Walks the primary key.
DELETE FROM smsflow_requests
 WHERE actor = %(actor)s AND key = %(key)s AND begun_at = %(begun_at)s AND answered_at IS NULL;

-- forget_requests --
-- Forget answers of yesterday. Walks smsflow_requests_begun_v1.
DELETE FROM smsflow_requests WHERE begun_at < clock_timestamp() - interval '24 hours';
