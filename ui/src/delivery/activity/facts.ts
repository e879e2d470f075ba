/** What one fact of an entry says: the key of its words, or its name where it has none. */
export type Fact = { key: string | null; name: string; value: string | number };

/** How the values of facts are written. */
export type Writes = {
  money: (amount: number, currency: string) => string;
  day: (day: string) => string;
};

const COUNTS = ["messages", "recipients", "parts", "targeted", "to_deliver", "wave", "until"];
const NAMES = ["budget", "gateway", "reason"];
const AMOUNTS = ["cost", "total"];
const DAYS = ["on", "as_of"];
/** Said elsewhere on the line, or with another fact. */
const SILENT = new Set(["by", "currency", "fingerprint"]);

/** The facts of an entry in their order, without what says nothing to a person. */
export function factsOf(facts: Record<string, unknown>, writes: Writes): Fact[] {
  const currency = String(facts.currency ?? "");
  return Object.entries(facts).flatMap(([name, value]): Fact[] => {
    if (SILENT.has(name) || value === "") {
      return [];
    }
    const key = `activity.fact_${name}`;
    if (name === "is_complete" && typeof value === "boolean") {
      return value ? [] : [{ key, name, value: "" }];
    }
    if (AMOUNTS.includes(name) && currency && Number.isFinite(Number(value))) {
      return [{ key, name, value: writes.money(Number(value), currency) }];
    }
    if (DAYS.includes(name) && /^\d{4}-\d\d-\d\d$/u.test(String(value))) {
      return [{ key, name, value: writes.day(String(value)) }];
    }
    if (COUNTS.includes(name) && typeof value === "number") {
      return [{ key, name, value }];
    }
    if (NAMES.includes(name) && typeof value === "string") {
      return [{ key, name, value }];
    }
    const isPlain = ["string", "number", "boolean"].includes(typeof value);
    return isPlain ? [{ key: null, name: name.replaceAll("_", " "), value: String(value) }] : [];
  });
}
