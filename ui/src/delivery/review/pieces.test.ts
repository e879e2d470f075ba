import { describe, expect, it } from "vitest";
import { foreignOf, hasFewForeign, piecesOf } from "./pieces";

describe("the pieces of a text", () => {
  it("are cut by characters, not by halves of an emoji", () => {
    const message = {
      text: "Hi 🌸 there, dear 🌸 friend",
      part_starts: [5],
      foreign: [
        { at: 3, character: "🌸" },
        { at: 17, character: "🌸" },
      ],
    };
    const texts = piecesOf(message).map((part) => part.map(({ text }) => text));

    expect(texts).toEqual([
      ["Hi ", "🌸", " "],
      ["there, dear ", "🌸", " friend"],
    ]);
    expect(foreignOf(message)).toEqual(["🌸"]);
  });

  it("are one of everything where nothing is to be pointed at", () => {
    expect(piecesOf({ text: "Hello", part_starts: [], foreign: [] })).toEqual([
      [{ at: 0, text: "Hello", isForeign: false }],
    ]);
    expect(piecesOf({ text: "", part_starts: [], foreign: [] })).toEqual([[]]);
  });

  it("are not marked letter by letter in another script", () => {
    const text = "مرحبا";
    const foreign = Array.from(text).map((character, at) => ({ at, character }));

    expect(hasFewForeign({ text, foreign })).toBe(false);
    expect(piecesOf({ text, part_starts: [], foreign })).toHaveLength(1);
    expect(piecesOf({ text, part_starts: [], foreign })[0]).toHaveLength(1);
  });
});
