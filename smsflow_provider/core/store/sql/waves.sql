-- write_pause --
-- Why a delivery is paused; empty when it goes on. By its primary key.
UPDATE smsflow_deliveries SET pause_reason = %(reason)s WHERE no = %(delivery_no)s;

-- sight --
-- Where a delivery that is being sent stands: its state, its wave, what was accepted by the person who
-- resumed it, and the counters of its chunks. in_wave: of the chunks the wave is in. Walks the primary
-- keys of smsflow_deliveries and smsflow_chunks.
SELECT d.state, d.to_deliver, d.wave::int AS wave, d.wave_until, d.judged_from,
       coalesce(d.sending_at, d.created_at) AS sending_at,
       extract(epoch FROM clock_timestamp() - d.wave_ended_at)::float8 AS wave_ended_s,
       extract(epoch FROM clock_timestamp())::float8 AS now_s,
       coalesce((SELECT is_off FROM smsflow_switch WHERE no = 1), false) AS is_off, c.*
  FROM smsflow_deliveries d
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(accepted), 0)::bigint AS accepted,
              coalesce(sum(failed + undelivered + unknown), 0)::bigint AS bad,
              coalesce(sum(accepted + failed + unknown), 0)::bigint AS settled,
              coalesce(sum(accepted + failed + unknown + cancelled + expired), 0)::bigint AS ended,
              coalesce(sum(accepted + failed + unknown + cancelled + expired)
                       FILTER (WHERE first_position <= d.wave_until), 0)::bigint AS in_wave
         FROM smsflow_chunks WHERE preparation = d.preparation) AS c
 WHERE d.no = %(delivery_no)s AND d.preparation = %(preparation)s;

-- end_wave --
-- All of the wave is settled: the wait begins. By its primary key.
UPDATE smsflow_deliveries SET wave_ended_at = now()
 WHERE no = %(delivery_no)s AND wave_until IS NOT NULL AND wave_ended_at IS NULL;

-- begin_wave --
-- The next wave may leave. By its primary key.
UPDATE smsflow_deliveries SET wave = %(wave)s, wave_until = %(wave_until)s, wave_ended_at = NULL
 WHERE no = %(delivery_no)s;

-- judge_from --
-- Count failures and opt-outs from here on: a person has accepted those before. By its primary key.
UPDATE smsflow_deliveries SET judged_from = %(judged_from)s WHERE no = %(delivery_no)s;

-- lock_phone_index --
-- One worker at a time builds the index by number. Until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('smsflow phone index'), (%(preparation)s %% 2147483647)::int);

-- count_opted_out --
-- How many people opted out since sending began, whose message was handed over after a given moment.
-- Walks smsflow_opt_outs_created_v1, the index by number of the preparation's messages, and the primary
-- key of marks.
SELECT count(DISTINCT x.phone)::bigint AS people
  FROM smsflow_opt_outs x
  JOIN smsflow_messages m ON m.preparation = %(preparation)s AND m.phone = x.phone
 WHERE x.created_at >= %(since)s
   AND EXISTS (SELECT FROM smsflow_marks k
                WHERE k.preparation = %(preparation)s AND k.position = m.position AND k.marked_at >= %(marked_since)s);
