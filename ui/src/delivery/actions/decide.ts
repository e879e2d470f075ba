import { answerOf, api } from "~/api/client";

export type Decision = "send" | "reject";

/**
 * Say Send, or reject, what has *fingerprint*. The same once more tells Airflow's task again where
 * it does not know of it yet, and changes nothing else.
 */
export function decide(
  id: string,
  decision: Decision,
  body: { fingerprint: string; comment: string },
) {
  const call = { params: { path: { delivery_id: id } }, body };
  return decision === "send"
    ? answerOf(api.POST("/api/v1/deliveries/{delivery_id}/send", call))
    : answerOf(api.POST("/api/v1/deliveries/{delivery_id}/reject", call));
}
