import type { components } from "~/api/schema";

type Version = Pick<components["schemas"]["AudienceVersion"], "count" | "fingerprint" | "columns">;
/** A text of the catalogue, behind `audiences.`, with its values. */
export type Change = { key: string; values: Record<string, string | number> };

/** What the figures of two versions say about their difference; people are not compared. */
export function changesOf(before: Version, now: Version): Change[] {
  const difference = now.count - before.count;
  const changes: Change[] = [];
  if (difference > 0) {
    changes.push({ key: "more", values: { count: difference } });
  } else if (difference < 0) {
    changes.push({ key: "fewer", values: { count: -difference } });
  } else {
    const key = before.fingerprint === now.fingerprint ? "same" : "same_count";
    changes.push({ key, values: {} });
  }
  const added = missing(before, now);
  const removed = missing(now, before);
  if (added) {
    changes.push({ key: "columns_added", values: { names: added } });
  }
  if (removed) {
    changes.push({ key: "columns_removed", values: { names: removed } });
  }
  return changes;
}

function missing(from: Version, of: Version): string {
  const names = new Set(from.columns.map((one) => one.name));
  return of.columns
    .map((one) => one.name)
    .filter((name) => !names.has(name))
    .join(", ");
}
