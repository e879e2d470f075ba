-- next_proof_no --
-- The number of the next proof of one delivery; the caller holds the delivery. Walks smsflow_deliveries_proof_v1.
SELECT coalesce(max(proof_no), 0) + 1 AS proof_no FROM smsflow_deliveries WHERE proof_of = %(proof_of)s;

-- add_proof --
-- Make a proof, empty still. The unique index refuses a number that is taken.
INSERT INTO smsflow_deliveries (id, kind, label, dag_id, run_id, task_id, map_index, gateway, dry_run, settings,
                                created_by, proof_of, proof_no)
VALUES (%(id)s, 'proof', %(label)s, %(dag_id)s, %(run_id)s, %(task_id)s, %(map_index)s, %(gateway)s, %(dry_run)s,
        %(settings)s, %(actor)s, %(proof_of)s, %(proof_no)s);

-- find_proof --
-- One proof by its id, if it is there. Walks the unique index on id.
SELECT * FROM smsflow_deliveries WHERE id = %(id)s AND kind = 'proof';

-- list_proofs --
-- The latest proofs of one delivery, newest first, with their figures. Walks smsflow_deliveries_proof_v1 backwards.
SELECT d.*, c.* FROM (
    SELECT * FROM smsflow_deliveries WHERE proof_of = %(proof_of)s ORDER BY proof_no DESC LIMIT %(limit)s) AS d
  LEFT JOIN LATERAL (
    SELECT coalesce(sum(accepted), 0)::bigint AS accepted, coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(unknown), 0)::bigint AS unknown, coalesce(sum(cancelled), 0)::bigint AS cancelled,
           coalesce(sum(expired), 0)::bigint AS expired, coalesce(sum(delivered), 0)::bigint AS delivered,
           coalesce(sum(undelivered), 0)::bigint AS undelivered
      FROM smsflow_chunks WHERE preparation = d.preparation) AS c ON true
 ORDER BY d.proof_no DESC;

-- count_listed --
-- How many of some numbers are on an opt-out list of a delivery, or in quarantine. Walks both primary keys.
SELECT (SELECT count(DISTINCT phone) FROM smsflow_opt_outs
         WHERE phone = ANY(%(phones)s::bigint[]) AND scope = ANY(%(scopes)s))::int AS opted_out,
       (SELECT count(*) FROM smsflow_quarantine
         WHERE phone = ANY(%(phones)s::bigint[]) AND quarantined_at IS NOT NULL)::int AS quarantined;
