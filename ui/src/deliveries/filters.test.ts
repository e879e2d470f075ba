import { describe, expect, it } from "vitest";
import { isFiltered, startOfDay, tabOf, wishOf } from "./filters";

const NOON = new Date(2026, 10, 23, 12, 0, 0);

describe("the filters of the list", () => {
  it("ask for what the tab stands for", () => {
    const none = new URLSearchParams();
    expect(wishOf("attention", none, NOON)).toEqual({ limit: 25, attention: true });
    expect(wishOf("sending", none, NOON).state).toEqual(["approved", "sending", "paused"]);
    expect(wishOf("finished", none, NOON).ended_since).toBe(startOfDay(NOON));
    expect(wishOf("all", none, NOON)).toEqual({ limit: 25 });
  });

  it("come from the address, and nonsense in it is passed over", () => {
    const address = new URLSearchParams("tab=nowhere&state=nothing&q=sale&workflow=a.b&before=1-2");
    expect(tabOf(address, "all")).toBe("all");
    expect(wishOf("all", address, NOON)).toEqual({
      limit: 25,
      q: "sale",
      dag_id: "a.b",
      before: "1-2",
    });
    expect(isFiltered(address)).toBe(true);
    expect(isFiltered(new URLSearchParams("tab=all&before=1-2"))).toBe(false);
  });

  it("begin the day where the reader is", () => {
    expect(new Date(startOfDay(NOON)).getHours()).toBe(0);
  });
});
