import { Box } from "@chakra-ui/react";
import { lineOf } from "./chart";

const WIDTH = 600;
const HEIGHT = 80;

type Value = { at: number; value: number };
type Props = {
  /** What a reader hears instead of the drawing. */
  label: string;
  /** The highest value of the scale. */
  most: number;
  lines: { palette: string; values: Value[] }[];
};

/** A few lines over time, in the host's colours; a table stands behind it. */
export function Line({ label, most, lines }: Props) {
  return (
    <Box borderBottomWidth="1px" color="fg.muted">
      <svg
        role="img"
        aria-label={label}
        viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
        width="100%"
        height={HEIGHT}
        preserveAspectRatio="none"
      >
        {lines.map(({ palette, values }) => (
          <Box asChild key={palette} colorPalette={palette} color="colorPalette.solid">
            <polyline
              fill="none"
              stroke="currentColor"
              strokeWidth="2"
              vectorEffect="non-scaling-stroke"
              points={lineOf(values, { most, width: WIDTH, height: HEIGHT })}
            />
          </Box>
        ))}
      </svg>
    </Box>
  );
}
