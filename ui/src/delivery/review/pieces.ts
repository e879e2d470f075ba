import type { Message } from "./shapes";

/** A stretch of one part: plain, or a character that GSM 7-bit lacks. */
export type Stretch = { at: number; text: string; isForeign: boolean };

/** A text in which more of its characters than this are foreign is of another script. */
const MOST_FOREIGN = 0.2;

/** Whether single characters force the text into UCS-2, so that it helps to point at them. */
export function hasFewForeign(message: Pick<Message, "text" | "foreign">): boolean {
  const length = Array.from(message.text).length;
  return message.foreign.length > 0 && message.foreign.length <= length * MOST_FOREIGN;
}

/**
 * Cut a text where its parts begin, and each part around the characters to point at.
 *
 * The API counts code points; a string of JavaScript counts UTF-16 units.
 */
export function piecesOf(message: Pick<Message, "text" | "foreign" | "part_starts">): Stretch[][] {
  const characters = Array.from(message.text);
  const foreign = new Set(hasFewForeign(message) ? message.foreign.map(({ at }) => at) : []);
  const starts = [0, ...message.part_starts, characters.length];
  return starts
    .slice(1)
    .map((end, part) => stretchesOf(characters, starts[part] ?? 0, end, foreign));
}

function stretchesOf(
  characters: string[],
  start: number,
  end: number,
  foreign: Set<number>,
): Stretch[] {
  const found: Stretch[] = [];
  for (let at = start; at < end; at += 1) {
    const isForeign = foreign.has(at);
    const last = found.at(-1);
    if (last && last.isForeign === isForeign) {
      last.text += characters[at] ?? "";
    } else {
      found.push({ at, text: characters[at] ?? "", isForeign });
    }
  }
  return found;
}

/** The different characters that force a text into UCS-2, in the order of the text. */
export function foreignOf(message: Pick<Message, "foreign">): string[] {
  return [...new Set(message.foreign.map(({ character }) => character))];
}
