import { expect, test } from "vitest";
import { linesOf } from "./linesOf";

test("numbers are taken line by line, each once, with their own blanks", () => {
  expect(linesOf(" +33 6 12 34 56 78\n\n+336; +337,+336\n")).toEqual([
    "+33 6 12 34 56 78",
    "+336",
    "+337",
  ]);
  expect(linesOf(" \n;")).toEqual([]);
});
