import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { catalogue } from "./catalogue";

const SOURCES = join(__dirname, "..");

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return sourcesIn(path);
    }
    return /\.tsx?$/.test(path) && !path.includes(".test.") ? [readFileSync(path, "utf-8")] : [];
  });
}

/** Names in braces, in order of the alphabet. */
function namesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name ?? ""))].sort();
}

describe("the catalogues", () => {
  const english = catalogue("en-GB").texts;
  const french = catalogue("fr-CA").texts;

  it("say the same things in both languages, with the same values", () => {
    expect(Object.keys(french).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(english)) {
      expect([key, namesIn(french[key] ?? "")]).toEqual([key, namesIn(text)]);
    }
  });

  it("hold what the pages ask for by name", () => {
    const asked = sourcesIn(SOURCES).flatMap((text) =>
      [...text.matchAll(/\b(?:id[:=]\s*|say\(|w\()"([\w-]+\.[\w.-]+)"/g)].map(
        ([, key]) => key ?? "",
      ),
    );
    expect(asked.length).toBeGreaterThan(0);
    expect([...new Set(asked)].filter((key) => !(key in english))).toEqual([]);
  });
});
