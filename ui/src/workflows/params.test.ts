import { describe, expect, it } from "vitest";
import { asText, fieldOf, type Param, read } from "./params";

function param(rules: Record<string, unknown>, more: Partial<Param> = {}): Param {
  return { name: "x", description: "", default: null, is_required: false, rules, ...more };
}

describe("a parameter", () => {
  it.each([
    [{ type: "string" }, "text"],
    [{ type: ["null", "string"], format: "date" }, "date"],
    [{ type: "string", enum: ["a"] }, "choice"],
    [{ type: "integer" }, "integer"],
    [{ type: "array", items: { type: "string" } }, "list"],
    [{ type: "object" }, "json"],
  ])("of %j is asked for as %s", (rules, kind) => {
    expect(fieldOf(param(rules))).toBe(kind);
  });

  it("is read as the type it declares", () => {
    expect(read(param({ type: "number" }), "1,5")).toEqual({ value: 1.5 });
    expect(read(param({ type: ["null", "integer"] }), "")).toEqual({ value: null });
    expect(read(param({ type: "string", enum: [1, 2] }), asText(param({ enum: [1] }), 1))).toEqual({
      value: 1,
    });
    expect(read(param({ type: "array", items: { type: "string" } }), "a\n\nb")).toEqual({
      value: ["a", "b"],
    });
    expect(read(param({ type: "boolean" }), "false")).toEqual({ value: false });
  });

  it.each([
    [{ type: "integer" }, "1.5", { why: "integer" }],
    [{ type: "number", minimum: 2 }, "1", { why: "minimum", limit: 2 }],
    [{ type: "string", minLength: 2 }, "", { why: "required" }],
    [{ type: "string", maxLength: 1 }, "ab", { why: "long", limit: 1 }],
    [{ type: "string", pattern: "^a$" }, "b", { why: "pattern" }],
    [{ type: "object" }, "[]", { why: "json" }],
    [{ type: "string", format: "date" }, "soon", { why: "date" }],
  ])("of %j refuses %s", (rules, text, wrong) => {
    expect(read(param(rules), text)).toEqual({ wrong });
  });
});
