/** Addresses within Airflow, for its router. */
export const ROOT = "/plugin/smsflow";

export type DeliveryTab = "review" | "sending" | "report" | "log" | "activity";

export function deliveryAddress(id: string, tab?: DeliveryTab): string {
  return `${ROOT}/deliveries/${encodeURIComponent(id)}${tab ? `/${tab}` : ""}`;
}

export function workflowAddress(dagId: string): string {
  return `${ROOT}/workflows/${encodeURIComponent(dagId)}`;
}

export function audienceAddress(name: string): string {
  return `${ROOT}/audiences/${encodeURIComponent(name)}`;
}

export function templateAddress(name: string): string {
  return `${ROOT}/templates/${encodeURIComponent(name)}`;
}

/** Airflow's own page of a run. */
export function runAddress(dagId: string, runId: string): string {
  return `/dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}`;
}
