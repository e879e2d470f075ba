import type { components } from "~/api/schema";

type Gateway = Pick<components["schemas"]["GatewaySummary"], "problem" | "circuit" | "pace">;

/** How a gateway is, in one word. */
export function healthOf(gateway: Gateway): "good" | "waiting" | "down" | "unusable" {
  if (gateway.problem !== "") {
    return "unusable";
  }
  if (gateway.circuit.is_open) {
    return "down";
  }
  return gateway.pace.is_throttled || gateway.pace.factor < 1 ? "waiting" : "good";
}
