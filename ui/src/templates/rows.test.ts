import { describe, expect, it } from "vitest";
import { partsOf, readRows } from "./rows";

describe("rows", () => {
  it("are a list of objects of plain values", () => {
    expect(readRows('[{"name": "Zoe", "age": 3, "city": null}]')).toEqual([
      { name: "Zoe", age: 3, city: null },
    ]);
    for (const text of ["", "{}", "[]", "[1]", '[{"a": {}}]', "[[]]"]) {
      expect(readRows(text)).toBeNull();
    }
  });
});

describe("parts", () => {
  it("are cut by code points, and lose nothing", () => {
    expect(partsOf("a👋bc", [2])).toEqual(["a👋", "bc"]);
    expect(partsOf("abc", [])).toEqual(["abc"]);
  });
});
