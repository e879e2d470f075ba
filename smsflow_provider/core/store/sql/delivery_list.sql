-- known_dags --
-- The DAGs that have deliveries: one step of the index a DAG, however many deliveries it has.
-- Walks smsflow_deliveries_dag_v1.
WITH RECURSIVE dags AS (
    (SELECT dag_id FROM smsflow_deliveries WHERE dag_id <> '' ORDER BY dag_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.dag_id FROM smsflow_deliveries d WHERE d.dag_id > dags.dag_id ORDER BY d.dag_id LIMIT 1)
      FROM dags WHERE dags.dag_id IS NOT NULL)
SELECT dag_id FROM dags WHERE dag_id IS NOT NULL;

-- pick_recent --
-- A page of the deliveries of many DAGs, newest first. Walks smsflow_deliveries_created_v1.
SELECT no, created_at FROM smsflow_deliveries
 WHERE (created_at, no) < (%(before_at)s::timestamptz, %(before_no)s::bigint)
   AND created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
   AND (%(dags)s::text[] IS NULL OR dag_id = ANY(%(dags)s)) AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
   AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s)) AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
   AND (%(like)s::text IS NULL OR label ILIKE %(like)s OR dag_id ILIKE %(like)s)
 ORDER BY created_at DESC, no DESC LIMIT %(limit)s;

-- pick_of_dags --
-- A page of the deliveries of a few DAGs, newest first. Walks smsflow_deliveries_dag_v1 once a DAG.
SELECT one.no, one.created_at FROM unnest(%(dags)s::text[]) AS dag (id) CROSS JOIN LATERAL (
    SELECT no, created_at FROM smsflow_deliveries
     WHERE dag_id = dag.id AND (created_at, no) < (%(before_at)s::timestamptz, %(before_no)s::bigint)
       AND created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
       AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
       AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s)) AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
       AND (%(like)s::text IS NULL OR label ILIKE %(like)s OR dag_id ILIKE %(like)s)
     ORDER BY created_at DESC, no DESC LIMIT %(limit)s) AS one
 ORDER BY one.created_at DESC, one.no DESC LIMIT %(limit)s;

-- pick_open --
-- A page of deliveries in states that are not the end, newest first. Walks smsflow_deliveries_attention_v1.
SELECT no, created_at FROM smsflow_deliveries
 WHERE state IN ('preparation_failed', 'ready', 'approved', 'paused', 'sending', 'preparing')
   AND (created_at, no) < (%(before_at)s::timestamptz, %(before_no)s::bigint)
   AND created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
   AND (%(dags)s::text[] IS NULL OR dag_id = ANY(%(dags)s)) AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
   AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s)) AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
   AND (%(like)s::text IS NULL OR label ILIKE %(like)s OR dag_id ILIKE %(like)s)
 ORDER BY created_at DESC, no DESC LIMIT %(limit)s;

-- pick_ended --
-- A page of deliveries that ended since a moment, newest first. Reads that part of smsflow_deliveries_ended_v1, then
-- sorts it: those of a day or so.
WITH ended AS MATERIALIZED (
    SELECT no, created_at FROM smsflow_deliveries
     WHERE ended_at >= %(ended_since)s::timestamptz
       AND (created_at, no) < (%(before_at)s::timestamptz, %(before_no)s::bigint)
       AND created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
       AND (%(dags)s::text[] IS NULL OR dag_id = ANY(%(dags)s)) AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
       AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s)) AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
       AND (%(like)s::text IS NULL OR label ILIKE %(like)s OR dag_id ILIKE %(like)s))
SELECT no, created_at FROM ended ORDER BY created_at DESC, no DESC LIMIT %(limit)s;

-- pick_watched --
-- Deliveries of which some may need a person: open ones, and finished ones with messages nobody knows the end of.
-- Walks smsflow_deliveries_attention_v1 and smsflow_deliveries_ended_v1.
(SELECT no, created_at FROM smsflow_deliveries
  WHERE state IN ('preparation_failed', 'ready', 'approved', 'paused', 'sending')
    AND (state <> 'preparation_failed' OR moved_at >= %(failed_since)s::timestamptz)
    AND (created_at, no) < (%(before_at)s::timestamptz, %(before_no)s::bigint)
    AND created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
    AND (%(dags)s::text[] IS NULL OR dag_id = ANY(%(dags)s)) AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
    AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s)) AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
    AND (%(like)s::text IS NULL OR label ILIKE %(like)s OR dag_id ILIKE %(like)s)
  ORDER BY created_at DESC, no DESC LIMIT %(limit)s)
UNION ALL
(SELECT d.no, d.created_at FROM smsflow_deliveries d
  WHERE d.ended_at >= %(unknown_since)s::timestamptz AND d.state = 'finished'
    AND (d.created_at, d.no) < (%(before_at)s::timestamptz, %(before_no)s::bigint)
    AND d.created_at >= %(since)s::timestamptz AND d.created_at < %(until)s::timestamptz
    AND (%(dags)s::text[] IS NULL OR d.dag_id = ANY(%(dags)s)) AND (%(run_id)s::text IS NULL OR d.run_id = %(run_id)s)
    AND (%(states)s::text[] IS NULL OR d.state = ANY(%(states)s)) AND (%(kinds)s::text[] IS NULL OR d.kind = ANY(%(kinds)s))
    AND (%(like)s::text IS NULL OR d.label ILIKE %(like)s OR d.dag_id ILIKE %(like)s)
    AND EXISTS (SELECT FROM smsflow_chunks c WHERE c.preparation = d.preparation AND c.unknown > 0)
  ORDER BY d.ended_at DESC LIMIT %(limit)s);

-- read_listed --
-- What a list shows of some deliveries, newest first: sums of chunk counters, never a count of messages.
-- Walks the primary keys.
SELECT d.no, d.id, d.kind, d.label, d.dag_id, d.run_id, d.task_id, d.dry_run, d.state, d.targeted, d.to_deliver,
       d.created_at, d.created_by, d.prepared_at, d.sending_at, d.ended_at, d.moved_at, d.pause_reason, d.proof_no,
       d.figures -> 'cost' ->> 'total' AS cost, coalesce(d.figures -> 'cost' ->> 'currency', '') AS currency,
       c.*, a.expires_at AS approval_expires_at, p.progress, p.begun_at, p.progressed_at
  FROM smsflow_deliveries d
  LEFT JOIN LATERAL (
    SELECT coalesce(sum(accepted), 0)::bigint AS accepted, coalesce(sum(failed), 0)::bigint AS failed,
           coalesce(sum(unknown), 0)::bigint AS unknown, coalesce(sum(cancelled), 0)::bigint AS cancelled,
           coalesce(sum(expired), 0)::bigint AS expired, coalesce(sum(delivered), 0)::bigint AS delivered,
           coalesce(sum(undelivered), 0)::bigint AS undelivered
      FROM smsflow_chunks WHERE preparation = d.preparation) AS c ON true
  LEFT JOIN smsflow_approvals a ON a.delivery_no = d.no AND a.preparation = d.preparation AND d.state = 'approved'
  LEFT JOIN smsflow_preparations p ON p.no = d.preparation AND d.state = 'preparing'
 WHERE d.no = ANY(%(nos)s)
 ORDER BY d.created_at DESC, d.no DESC;

-- pick_dags --
-- A page of DAGs by their latest delivery, newest first. Walks smsflow_deliveries_dag_v1, one step a DAG.
SELECT dag.id AS dag_id, latest.no, latest.created_at
  FROM unnest(%(dags)s::text[]) AS dag (id) CROSS JOIN LATERAL (
    SELECT no, created_at FROM smsflow_deliveries
     WHERE dag_id = dag.id AND kind <> 'proof'
       AND (%(like)s::text IS NULL OR label ILIKE %(like)s OR dag_id ILIKE %(like)s)
     ORDER BY created_at DESC, no DESC LIMIT 1) AS latest
 WHERE (latest.created_at, latest.no) < (%(before_at)s::timestamptz, %(before_no)s::bigint)
 ORDER BY latest.created_at DESC, latest.no DESC LIMIT %(limit)s;

-- group_by_task --
-- The latest deliveries of some DAGs by task: how many, and which is the last. Walks smsflow_deliveries_dag_v1.
SELECT one.dag_id, one.task_id, count(*)::bigint AS occurrences,
       (array_agg(one.no ORDER BY one.created_at DESC, one.no DESC))[1] AS last_no
  FROM unnest(%(dags)s::text[]) AS dag (id) CROSS JOIN LATERAL (
    SELECT dag_id, task_id, no, created_at FROM smsflow_deliveries
     WHERE dag_id = dag.id AND kind <> 'proof'
       AND (%(like)s::text IS NULL OR label ILIKE %(like)s OR dag_id ILIKE %(like)s)
     ORDER BY created_at DESC, no DESC LIMIT %(most)s) AS one
 GROUP BY one.dag_id, one.task_id;
