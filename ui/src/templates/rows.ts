import type { Row } from "./useTried";

/**
 * Read rows that somebody typed as JSON: a list of 1 to 20 objects of plain values.
 *
 * @returns null: it is none.
 */
export function readRows(text: string): Row[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const isRow = (one: unknown) =>
    typeof one === "object" &&
    one !== null &&
    !Array.isArray(one) &&
    Object.values(one).every((each) => each === null || typeof each !== "object");
  const isList = Array.isArray(value) && value.length > 0 && value.length <= 20;
  return isList && (value as unknown[]).every(isRow) ? (value as Row[]) : null;
}

/** Cut *text* where its parts begin, which are counted in code points. */
export function partsOf(text: string, starts: number[]): string[] {
  const points = [...text];
  const edges = [0, ...starts, points.length];
  return edges.slice(1).map((end, place) => points.slice(edges[place], end).join(""));
}
