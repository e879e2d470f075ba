import { Box, HStack, Stack, Text } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";
import { figureOf } from "./DeliveryTable";
import { Name } from "./Name";
import { RowAction } from "./RowAction";
import { Standing } from "./Standing";
import type { Row } from "./useDeliveries";

const FIGURES = ["to_deliver", "sent", "failed", "cost"] as const;

/** Deliveries one below the other, for narrow windows. */
export function DeliveryCards({ rows, label }: { rows: Row[]; label: string }) {
  return (
    <Stack as="ul" gap={3} listStyleType="none" aria-label={label}>
      {rows.map((row) => (
        <li key={row.delivery}>
          <Card row={row} />
        </li>
      ))}
    </Stack>
  );
}

function Card({ row }: { row: Row }) {
  const say = useSay();
  return (
    <Stack borderWidth="1px" borderRadius="md" p={3} gap={3}>
      <Name row={row} />
      <HStack justify="space-between" align="end">
        <Standing row={row} />
        <RowAction row={row} />
      </HStack>
      <HStack as="dl" gap={4} wrap="wrap">
        {FIGURES.map((name) => (
          <Box key={name}>
            <Text as="dt" fontSize="sm" color="fg.muted">
              {say(`deliveries.${name}`)}
            </Text>
            <Text as="dd" fontVariantNumeric="tabular-nums">
              {figureOf(row, name)}
            </Text>
          </Box>
        ))}
      </HStack>
    </Stack>
  );
}
