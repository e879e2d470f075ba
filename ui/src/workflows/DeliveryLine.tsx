import { HStack, Link, Stack, Text } from "@chakra-ui/react";
import { useIntl } from "react-intl";
import { Link as RouterLink } from "react-router-dom";
import type { components } from "~/api/schema";
import { State } from "~/parts/State";
import { deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";

/** One delivery in a few words, with the way to it. */
export function DeliveryLine({ row }: { row: components["schemas"]["DeliveryRow"] }) {
  const say = useSay();
  const intl = useIntl();
  const all = intl.formatNumber(row.to_deliver);
  return (
    <Stack gap={0} alignItems="start">
      <HStack gap={2} wrap="wrap">
        <Link asChild variant="underline">
          <RouterLink to={deliveryAddress(row.delivery)}>{row.label || row.delivery}</RouterLink>
        </Link>
        <State state={row.state} />
      </HStack>
      {row.prepared_at && (
        <Text color="fg.muted" fontSize="sm">
          {row.sending_at
            ? say("workflows.sent", { sent: intl.formatNumber(row.delivered), all })
            : say("workflows.prepared", { count: row.to_deliver })}
        </Text>
      )}
    </Stack>
  );
}
