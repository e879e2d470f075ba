import { expect, test } from "vitest";
import { factsOf } from "./facts";

const WRITES = {
  money: (amount: number, currency: string) => `${currency} ${amount}`,
  day: (day: string) => `the ${day}`,
};
const told = (facts: Record<string, unknown>) =>
  factsOf(facts, WRITES).map(({ key, name, value }) => [key ?? name, value]);

test("an amount goes with its currency, and a day is a day", () => {
  expect(
    told({ as_of: "2026-11-01", total: "3.312000", currency: "EUR", is_complete: true }),
  ).toEqual([
    ["activity.fact_as_of", "the 2026-11-01"],
    ["activity.fact_total", "EUR 3.312"],
  ]);
  expect(told({ is_complete: false })).toEqual([["activity.fact_is_complete", ""]]);
});

test("counts and names have words; what has none says its name", () => {
  expect(told({ parts: 69, budget: "default", some_code: "x", by: "ann", list: [1] })).toEqual([
    ["activity.fact_parts", 69],
    ["activity.fact_budget", "default"],
    ["some code", "x"],
  ]);
});

test("a fact of another kind than its words are for is shown as it is", () => {
  expect(told({ wave: "last", total: "3" })).toEqual([
    ["wave", "last"],
    ["total", "3"],
  ]);
});
