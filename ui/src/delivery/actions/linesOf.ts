/** Texts of one proof that the API takes. */
export const MOST_NUMBERS = 100;

/** What is written in *text*, one a line, each once; numbers may also be parted by ; or , */
export function linesOf(text: string): string[] {
  const lines = text.split(/[\n;,]/u).map((each) => each.trim());
  return [...new Set(lines.filter(Boolean))];
}
