-- make_key --
-- The store's own key of hashes, made once; later calls change nothing. Never a second one, if the first was lost:
-- it would fit no hash.
INSERT INTO smsflow_erasure_key (secret) SELECT %(secret)s WHERE NOT EXISTS (SELECT FROM smsflow_erased)
    ON CONFLICT (no) DO NOTHING;

-- read_key --
-- That key.
SELECT secret FROM smsflow_erasure_key;

-- remember --
-- Keep the hash of a number. Walks the primary key (hash).
INSERT INTO smsflow_erased (hash) VALUES (%(hash)s) ON CONFLICT (hash) DO NOTHING;

-- lift --
-- Forget some hashes: these people may be texted again. Walks the primary key (hash).
DELETE FROM smsflow_erased WHERE hash = ANY(%(hashes)s::bytea[]);

-- known_hashes --
-- Which of some hashes, 16 bytes each, are kept. Walks the primary key (hash) for each.
SELECT hash FROM smsflow_erased
 WHERE hash IN (SELECT substr(%(packed)s::bytea, at, 16) FROM generate_series(1, length(%(packed)s::bytea), 16) AS at);

-- has_table --
-- Whether this store can know of anybody who was erased: one of the former version cannot. Reads the catalogue.
SELECT to_regclass('smsflow_erased') IS NOT NULL AS is_there;

-- packed_hashes --
-- All hashes that are kept, 16 bytes each. Reads the whole table: a row a person who was erased.
SELECT string_agg(hash, '') AS hashes FROM smsflow_erased;

-- drop_opt_outs --
-- Take a number off every list; its hash stands for them. Walks the primary key (phone, scope).
DELETE FROM smsflow_opt_outs WHERE phone = %(phone)s;

-- drop_quarantine --
-- Forget what was wrong with a number. Walks the primary key (phone).
DELETE FROM smsflow_quarantine WHERE phone = %(phone)s;

-- blank_replies --
-- Empty what a person wrote. The row stays, so that a reply which a gateway delivers once more is known; one that
-- waits has no effect any more. Walks smsflow_replies_phone_v1, and reads those from no number.
UPDATE smsflow_replies
   SET phone = NULL, sender = '', body = '', applied_at = coalesce(applied_at, now())
 WHERE phone = %(phone)s
    OR (phone IS NULL AND sender <> ''
        AND ltrim(regexp_replace(sender, '[^0-9]', '', 'g'), '0') = ANY(%(writings)s::text[]));

-- being_prepared --
-- Deliveries whose messages nobody can see yet. Reads smsflow_deliveries.
SELECT id FROM smsflow_deliveries WHERE state = 'preparing' ORDER BY no;

-- kept_preparations --
-- Published preparations with messages and exclusions of their own. Reads smsflow_preparations.
SELECT p.no AS preparation, d.id FROM smsflow_preparations p JOIN smsflow_deliveries d ON d.no = p.delivery_no
 WHERE p.published_at IS NOT NULL AND p.dropped_at IS NULL ORDER BY p.no;

-- ids_like --
-- Ids of rows without a number which, written as phones are, end like one. Reads the preparation's exclusions.
SELECT DISTINCT recipient_id FROM smsflow_exclusions
 WHERE preparation = %(preparation)s
   AND phone IS NULL AND recipient_id ~ '^[+0]' AND regexp_replace(recipient_id, '[^0-9]', '', 'g') LIKE %(end)s;

-- is_in --
-- Whether a person is among the messages or the exclusions of a preparation. Reads them, once: for maintenance.
SELECT EXISTS (SELECT FROM smsflow_messages WHERE preparation = %(preparation)s AND phone = %(phone)s)
    OR EXISTS (SELECT FROM smsflow_exclusions WHERE preparation = %(preparation)s
                  AND (phone = %(phone)s OR phone IS NULL AND recipient_id = ANY(%(ids)s::text[]))) AS is_in;

-- hold_delivery --
-- Hold a delivery, so that it begins nothing meanwhile, and say where it stands. Walks the unique index on id.
SELECT state FROM smsflow_deliveries WHERE id = %(id)s FOR UPDATE;

-- hold_chunks --
-- Hold the counters of a preparation, so that no receipt is applied meanwhile. Walks the primary key.
SELECT chunk FROM smsflow_chunks WHERE preparation = %(preparation)s ORDER BY chunk FOR UPDATE;

-- blank_messages --
-- Empty a person's messages; positions, parts and outcomes stay, and with them every count. Reads its messages.
UPDATE smsflow_messages m SET phone = %(nobody)s, recipient_id = '', body = ''
  FROM (SELECT position, recipient_id FROM smsflow_messages
         WHERE preparation = %(preparation)s AND phone = %(phone)s) AS own
 WHERE m.preparation = %(preparation)s AND m.position = own.position
RETURNING m.position, own.recipient_id;

-- ended_proofs --
-- Preparations of proofs of a delivery that have ended. Walks smsflow_deliveries_proof_v1.
SELECT proof.preparation FROM smsflow_deliveries d JOIN smsflow_deliveries proof ON proof.proof_of = d.no
 WHERE d.id = %(id)s AND proof.state IN ('finished', 'stopped', 'rejected', 'expired') ORDER BY proof.preparation;

-- recipients_like --
-- The ids under which a person is in a preparation. Reads its messages and exclusions.
SELECT recipient_id FROM smsflow_messages
 WHERE preparation = %(preparation)s AND phone = %(phone)s AND recipient_id <> ''
 UNION
SELECT recipient_id FROM smsflow_exclusions
 WHERE preparation = %(preparation)s AND recipient_id <> ''
   AND (phone = %(phone)s OR phone IS NULL AND recipient_id = ANY(%(ids)s::text[]));

-- blank_shown --
-- Empty what a proof shows of a person to others: whom it went to stays. Reads its few messages.
UPDATE smsflow_messages SET recipient_id = '', body = ''
 WHERE preparation = %(preparation)s AND recipient_id = ANY(%(recipients)s::text[]);

-- blank_outcomes --
-- Empty the gateway's own ids of some messages. Walks the primary key.
UPDATE smsflow_outcomes SET gateway_ref = ''
 WHERE preparation = %(preparation)s AND position = ANY(%(positions)s::int[]) AND gateway_ref <> '';

-- blank_receipts --
-- The same of their receipts. Walks the primary key.
UPDATE smsflow_receipts SET gateway_ref = ''
 WHERE preparation = %(preparation)s AND position = ANY(%(positions)s::int[]) AND gateway_ref <> '';

-- drop_references --
-- The same of the table that finds messages by them. Walks smsflow_references_preparation_v1.
DELETE FROM smsflow_references WHERE preparation = %(preparation)s AND position = ANY(%(positions)s::int[]);

-- blank_exclusions --
-- Empty who was left out, also without a number, if the id is it; the reason stays. Reads the preparation's exclusions.
UPDATE smsflow_exclusions e SET phone = NULL, recipient_id = ''
  FROM (SELECT row_number, recipient_id FROM smsflow_exclusions
         WHERE preparation = %(preparation)s
           AND (phone = %(phone)s OR phone IS NULL AND recipient_id = ANY(%(ids)s::text[]))) AS own
 WHERE e.preparation = %(preparation)s AND e.row_number = own.row_number
RETURNING own.recipient_id;

-- blank_winners --
-- The same where somebody else was left out in a person's favour. Reads the preparation's exclusions.
UPDATE smsflow_exclusions SET winner_id = ''
 WHERE preparation = %(preparation)s AND winner_id = ANY(%(recipients)s::text[]);

-- foreign_files --
-- Files of saved audiences that smsflow did not write. Walks smsflow_audiences_uri_v1.
SELECT DISTINCT a.uri FROM smsflow_audiences a
 WHERE a.deleted_at IS NULL AND NOT EXISTS (SELECT FROM smsflow_audience_files f WHERE f.uri = a.uri) ORDER BY a.uri;

-- is_being_read --
-- Whether a delivery is being prepared from a file. Walks smsflow_deliveries_audience_v1.
SELECT EXISTS (SELECT FROM smsflow_deliveries WHERE audience ->> 'uri' = %(uri)s AND state = 'preparing') AS is_read;

-- mark_replaced --
-- A file has another one in its place: who saves it has done so, or sees this. Walks the primary key (uri).
UPDATE smsflow_audience_files SET made = made || %(told)s WHERE uri = %(uri)s;

-- repoint_audiences --
-- Let the versions that refer to one file refer to another. Walks smsflow_audiences_uri_v1.
UPDATE smsflow_audiences SET uri = %(new_uri)s, row_count = %(count)s, fingerprint = %(fingerprint)s
 WHERE uri = %(uri)s;

-- archives --
-- The folders of archives. Reads smsflow_preparations: a row a preparation.
SELECT DISTINCT archive_uri AS uri FROM smsflow_preparations WHERE archive_uri <> '' ORDER BY 1;
