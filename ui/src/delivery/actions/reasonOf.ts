import type { Say } from "~/words/useSay";

/** Why a button may not be pressed, in words; empty: it may, or it is not the moment for it. */
export function reasonOf(say: Say, barred: string | null): string {
  return barred === null || barred === "state" ? "" : say(`delivery.barred_${barred}`);
}
