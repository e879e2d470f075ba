import type { DeliveryTab } from "~/shell/addresses";

export const TABS: readonly DeliveryTab[] = ["review", "sending", "report", "log", "activity"];

/** The tab that says most of a delivery in *state*. */
export function firstTab(state: string): DeliveryTab {
  if (state === "sending" || state === "paused" || state === "approved") {
    return "sending";
  }
  return state === "finished" || state === "stopped" ? "report" : "review";
}
