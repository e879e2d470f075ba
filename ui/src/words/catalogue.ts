/**
 * Message catalogues: one file a subject and language, `words/en/deliveries.json`. A key is the name
 * of its file, a dot, and a name: `deliveries.title`. Texts are ICU messages.
 */
const FILES = import.meta.glob<Record<string, string>>("./{en,fr}/*.json", {
  eager: true,
  import: "default",
});

export type Language = "en" | "fr";

/** Every text of *language*, English where it is another one. */
export function catalogue(language: string): { language: Language; texts: Record<string, string> } {
  const chosen: Language = language.toLowerCase().startsWith("fr") ? "fr" : "en";
  const texts: Record<string, string> = {};
  for (const [path, entries] of Object.entries(FILES)) {
    const [, folder, subject] = /^\.\/(\w+)\/([\w-]+)\.json$/.exec(path) ?? [];
    if (folder === chosen) {
      for (const [name, text] of Object.entries(entries)) {
        texts[`${subject}.${name}`] = text;
      }
    }
  }
  return { language: chosen, texts };
}
