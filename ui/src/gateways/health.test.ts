import { expect, it } from "vitest";
import { healthOf } from "./health";

const circuit = { is_open: false, failures: 0, code: "", changed_at: null };
const pace = {
  parts_per_s: 0,
  limit_parts_per_s: 0,
  sender_limit_parts_per_s: 0,
  factor: 1,
  is_throttled: false,
};

it("says the worst first", () => {
  expect(healthOf({ problem: "", circuit, pace })).toBe("good");
  expect(healthOf({ problem: "", circuit, pace: { ...pace, factor: 0.5 } })).toBe("waiting");
  const open = { ...circuit, is_open: true };
  expect(healthOf({ problem: "", circuit: open, pace })).toBe("down");
  expect(healthOf({ problem: "no host", circuit: open, pace })).toBe("unusable");
});
