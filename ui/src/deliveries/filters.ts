import type { paths } from "~/api/schema";

export const TABS = ["attention", "sending", "finished", "all"] as const;
export type Tab = (typeof TABS)[number];

/** What the page asks the API for, but for the place of the page. */
export type Wish = NonNullable<paths["/api/v1/deliveries"]["get"]["parameters"]["query"]>;

/** What a person may choose under All. */
export const STATES = [
  "preparing",
  "preparation_failed",
  "ready",
  "approved",
  "sending",
  "paused",
  "finished",
  "stopped",
  "rejected",
  "expired",
] as const;
type State = (typeof STATES)[number];

/** The tab in the address, or *usual*. */
export function tabOf(address: URLSearchParams, usual: Tab): Tab {
  const given = address.get("tab");
  return TABS.find((one) => one === given) ?? usual;
}

/** Whether something is sought beyond what the tab shows. */
export function isFiltered(address: URLSearchParams): boolean {
  return ["q", "workflow", "state"].some((name) => address.get(name));
}

/** When the day of the reader began, as the API wants it. */
export function startOfDay(now: Date): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
}

/** What to ask the API for under *tab*, with the filters of the address. */
export function wishOf(tab: Tab, address: URLSearchParams, now: Date): Wish {
  const wish: Wish = { limit: 25 };
  const [text, workflow, before] = ["q", "workflow", "before"].map((name) => address.get(name));
  if (text) {
    wish.q = text;
  }
  if (workflow) {
    wish.dag_id = workflow;
  }
  if (before) {
    wish.before = before;
  }
  if (tab === "attention") {
    wish.attention = true;
  } else if (tab === "sending") {
    wish.state = ["approved", "sending", "paused"];
  } else if (tab === "finished") {
    wish.ended_since = startOfDay(now);
  } else {
    const state = STATES.find((one): one is State => one === address.get("state"));
    if (state) {
      wish.state = [state];
    }
  }
  return wish;
}
