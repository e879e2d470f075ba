import { Box, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

type Props = { label: string; value: ReactNode; note?: ReactNode };

/** One figure with its name; a few of them stand in a `Kpis` row. */
export function Kpi({ label, value, note }: Props) {
  return (
    <Box borderWidth="1px" borderRadius="md" px={3} py={3} minW={0}>
      <Text as="dt" color="fg.muted" fontSize="sm">
        {label}
      </Text>
      <Text
        as="dd"
        fontSize="xl"
        fontWeight="semibold"
        fontVariantNumeric="tabular-nums"
        overflowWrap="anywhere"
      >
        {value}
      </Text>
      {note && (
        <Text as="dd" color="fg.muted" fontSize="sm">
          {note}
        </Text>
      )}
    </Box>
  );
}

/** A row of figures that wraps on narrow windows. */
export function Kpis({ children }: { children: ReactNode }) {
  return (
    <Box
      as="dl"
      display="grid"
      gap={3}
      gridTemplateColumns="repeat(auto-fit, minmax(8.25rem, 1fr))"
    >
      {children}
    </Box>
  );
}
