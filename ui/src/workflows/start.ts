import { airflowUrl } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";

type Start = { dagId: string; conf: Record<string, unknown>; logicalDate: string | null };

/** Start a run through Airflow's own API, as the reader; tells its id. Throws a `Problem`. */
export async function startRun({ dagId, conf, logicalDate }: Start): Promise<string> {
  let response: Response;
  try {
    response = await fetch(`${airflowUrl()}api/v2/dags/${encodeURIComponent(dagId)}/dagRuns`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ conf, logical_date: logicalDate }),
    });
  } catch {
    throw asProblem(undefined);
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    throw problemOf(answer, response.status);
  }
  return (answer as { dag_run_id: string }).dag_run_id;
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
