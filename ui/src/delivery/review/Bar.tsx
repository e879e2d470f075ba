import { Box } from "@chakra-ui/react";

type Props = {
  /** 0 to 1: how much of the width is filled. */
  share: number;
  /** 0 to 1: how much stands before it, in a lighter tone: what was there and is gone. */
  from?: number;
  palette?: string;
};

/** A bar beside the number it draws; hidden from readers, who have the number. */
export function Bar({ share, from = 0, palette = "blue" }: Props) {
  // What is there is seen, however little it is.
  const width = share > 0 ? `max(2px, ${100 * Math.min(1, share)}%)` : "0";
  return (
    <Box aria-hidden="true" bg="bg.muted" borderRadius="sm" height="0.6rem" w="full" minW="3rem">
      <Box
        colorPalette={palette}
        bg="colorPalette.solid"
        borderRadius="sm"
        height="full"
        marginInlineStart={`${100 * Math.min(1, from)}%`}
        width={width}
      />
    </Box>
  );
}
