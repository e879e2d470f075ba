import { Box, Text } from "@chakra-ui/react";

type Props = { label: string; value: number; most: number };

/** How much of a limit is in use; the label says it in figures. */
export function Bar({ label, value, most }: Props) {
  const share = most > 0 ? Math.min(1, value / most) : 0;
  return (
    <Box>
      <Text fontSize="sm">{label}</Text>
      <Box bg="bg.muted" borderRadius="full" h={2} mt={1} overflow="hidden" aria-hidden>
        <Box
          bg={share >= 0.9 ? "orange.solid" : "blue.solid"}
          h="full"
          style={{ width: `${share * 100}%` }}
        />
      </Box>
    </Box>
  );
}
