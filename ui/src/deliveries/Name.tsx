import { Badge, HStack, Link, Stack, Text } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import { When } from "~/parts/When";
import { deliveryAddress, workflowAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import type { Row } from "./useDeliveries";

/** What a delivery is called, of which workflow, and who made it when. */
export function Name({ row }: { row: Row }) {
  const say = useSay();
  return (
    <Stack gap={0} align="start">
      <HStack wrap="wrap" gap={2}>
        <Link asChild fontWeight="semibold">
          <RouterLink to={deliveryAddress(row.delivery)}>{row.label || row.delivery}</RouterLink>
        </Link>
        {row.dry_run && <Badge>{say("deliveries.dry_run")}</Badge>}
        {row.kind === "proof" && <Badge>{say("deliveries.proof")}</Badge>}
      </HStack>
      <Link asChild fontSize="sm" color="fg.muted">
        <RouterLink to={workflowAddress(row.dag_id)}>{row.dag_id}</RouterLink>
      </Link>
      <Text fontSize="sm" color="fg.muted">
        {say("deliveries.made")} <When at={row.created_at} />
        {row.created_by && ` ${say("deliveries.by", { who: row.created_by })}`}
      </Text>
    </Stack>
  );
}
