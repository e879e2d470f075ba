import { Box } from "@chakra-ui/react";
import { DeliveryCards } from "./DeliveryCards";
import { DeliveryTable } from "./DeliveryTable";
import type { Row } from "./useDeliveries";

/** Deliveries: a table where there is room, cards where there is not. */
export function Rows({ rows, label }: { rows: Row[]; label: string }) {
  return (
    <>
      <Box hideBelow="md">
        <DeliveryTable rows={rows} label={label} />
      </Box>
      <Box hideFrom="md">
        <DeliveryCards rows={rows} label={label} />
      </Box>
    </>
  );
}
