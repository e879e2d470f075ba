import { airflowUrl, newKey } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";

type Start = {
  dagId: string;
  /** Named before the first try, so that a second one starts no second run. */
  runId: string;
  conf: Record<string, unknown>;
  logicalDate: string | null;
};

/** A name for a run that is about to be started, as Airflow names those started by hand. */
export function newRunId(): string {
  return `manual__${new Date().toISOString()}_${newKey().slice(0, 8)}`;
}

/** Start a run through Airflow's own API, as the reader; tells its id. Throws a `Problem`. */
export async function startRun({ dagId, runId, conf, logicalDate }: Start): Promise<string> {
  const runs = `${airflowUrl()}api/v2/dags/${encodeURIComponent(dagId)}/dagRuns`;
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const body = JSON.stringify({ dag_run_id: runId, conf, logical_date: logicalDate });
  const response = await asked(runs, { method: "POST", headers, body });
  if (response.ok) {
    return runId;
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.status === 409) {
    // An earlier try whose answer was lost; or another run of this date.
    const there = await asked(`${runs}/${encodeURIComponent(runId)}`, { headers });
    if (there.ok) {
      return runId;
    }
  }
  throw problemOf(answer, response.status);
}

async function asked(url: string, how: RequestInit): Promise<Response> {
  try {
    return await fetch(url, how);
  } catch {
    throw asProblem(undefined);
  }
}

/** Airflow says what is wrong in `detail`: a text, a list of fields, or a reason with a statement. */
export function problemOf(answer: unknown, status: number): Problem {
  const detail = (answer as { detail?: unknown } | null)?.detail;
  if (typeof detail === "string") {
    return { title: detail, status };
  }
  const texts = Array.isArray(detail) ? detail.map((one) => String(one?.msg ?? "")) : [];
  const reason = (detail as { reason?: unknown } | undefined)?.reason;
  return { title: texts.join(". ") || (typeof reason === "string" ? reason : `${status}`), status };
}
