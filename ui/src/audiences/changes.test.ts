import { expect, it } from "vitest";
import { changesOf } from "./changes";

const PHONE = { name: "phone", kind: "text" };
const CITY = { name: "city", kind: "text" };

it("tells of more and fewer people, of others, and of columns", () => {
  const one = { count: 3, fingerprint: "a", columns: [PHONE] };
  expect(changesOf(one, one)).toEqual([{ key: "same", values: {} }]);
  expect(changesOf(one, { ...one, fingerprint: "b" })).toEqual([{ key: "same_count", values: {} }]);
  const more = { count: 5, fingerprint: "b", columns: [PHONE, CITY] };
  expect(changesOf(one, more)).toEqual([
    { key: "more", values: { count: 2 } },
    { key: "columns_added", values: { names: "city" } },
  ]);
  expect(changesOf(more, one).map((each) => each.key)).toEqual(["fewer", "columns_removed"]);
});
