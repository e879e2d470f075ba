import { describe, expect, it } from "vitest";
import { actionOf } from "./RowAction";

describe("what is next", () => {
  it("is the review of what waits for one, and the report of what has ended", () => {
    expect(actionOf({ state: "ready", attention: "waiting_for_review" }).key).toBe("review");
    expect(actionOf({ state: "finished", attention: null }).key).toBe("report");
  });

  it("is to see why where something is wrong", () => {
    expect(actionOf({ state: "sending", attention: "failing" }).key).toBe("see_why");
    expect(actionOf({ state: "sending", attention: null }).key).toBe("watch");
    expect(actionOf({ state: "preparation_failed", attention: null }).key).toBe("see_why");
  });
});
