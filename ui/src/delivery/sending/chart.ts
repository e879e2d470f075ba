export type Sum = { at: string; settled: number };
export type Rate = { at: string; from: number; until: number; perS: number; settled: number };

/** Rates between points of exact sums, in messages a second. A sum that goes back is no rate. */
export function ratesOf(points: readonly Sum[]): Rate[] {
  return points.slice(1).flatMap((point, place) => {
    const before = points[place] as Sum;
    const from = Date.parse(before.at);
    const until = Date.parse(point.at);
    if (until <= from) {
      return [];
    }
    const perS = Math.max(0, point.settled - before.settled) / ((until - from) / 1000);
    return [{ at: point.at, from, until, perS, settled: point.settled }];
  });
}

/** The points of an SVG polyline over 0..*width* and 0..*height*, whose y grows downwards. */
export function lineOf(
  values: readonly { at: number; value: number }[],
  { most, width, height }: { most: number; width: number; height: number },
): string {
  const first = values[0]?.at ?? 0;
  const long = (values.at(-1)?.at ?? first) - first || 1;
  return values
    .map(({ at, value }) => {
      const x = ((at - first) / long) * width;
      const y = height - (value / (most || 1)) * height;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}
