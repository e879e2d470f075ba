import { describe, expect, it } from "vitest";
import { lineOf, ratesOf } from "./chart";

const at = (second: number) => new Date(second * 1000).toISOString();

describe("rates", () => {
  it("are differences of sums over the time between them, however long", () => {
    const rates = ratesOf([
      { at: at(0), settled: 0 },
      { at: at(10), settled: 50 },
      { at: at(60), settled: 100 },
    ]);
    expect(rates.map((rate) => rate.perS)).toEqual([5, 1]);
  });

  it("are never below nothing, nor of no time", () => {
    const rates = ratesOf([
      { at: at(0), settled: 9 },
      { at: at(0), settled: 9 },
      { at: at(2), settled: 5 },
    ]);
    expect(rates.map((rate) => rate.perS)).toEqual([0]);
  });
});

describe("a line", () => {
  it("goes from edge to edge", () => {
    const values = [
      { at: 10, value: 0 },
      { at: 20, value: 4 },
    ];
    expect(lineOf(values, { most: 4, width: 100, height: 50 })).toBe("0.0,50.0 100.0,0.0");
  });

  it("survives nothing and one point", () => {
    expect(lineOf([], { most: 0, width: 9, height: 9 })).toBe("");
    expect(lineOf([{ at: 1, value: 0 }], { most: 0, width: 9, height: 9 })).toBe("0.0,9.0");
  });
});
