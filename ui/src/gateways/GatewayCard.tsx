import { Badge, Box, Heading, HStack, Link, Stack, Text } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import type { components } from "~/api/schema";
import { Share } from "~/parts/numbers";
import { State } from "~/parts/State";
import { When } from "~/parts/When";
import { deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { Bar } from "./Bar";
import { healthOf } from "./health";
import { Tests } from "./Tests";

type Gateway = components["schemas"]["GatewaySummary"];
const COLOURS = { good: "green", waiting: "orange", down: "red", unusable: "red" } as const;

/** One gateway: how it is in words, what it takes now, what went wrong of late. */
export function GatewayCard({ gateway }: { gateway: Gateway }) {
  const say = useSay();
  const health = healthOf(gateway);
  return (
    <Box as="article" borderWidth="1px" borderRadius="md" p={4} minW={0}>
      <Stack gap={3}>
        <HStack justify="space-between" wrap="wrap">
          <Heading as="h2" size="md">
            {gateway.conn_id}
          </Heading>
          <Badge colorPalette={COLOURS[health]} size="md">
            {say(`gateways.${health}`)}
          </Badge>
        </HStack>
        <Text color="fg.muted">{gateway.kind ?? say("gateways.hidden")}</Text>
        {health === "down" && (
          <Text>
            {say("gateways.down_text", { code: gateway.circuit.code })}{" "}
            {gateway.circuit.changed_at && <When at={gateway.circuit.changed_at} />}
          </Text>
        )}
        {gateway.problem && <Text color="fg.error">{gateway.problem}</Text>}
        <Pace gateway={gateway} />
        <Hour gateway={gateway} />
        <Busy gateway={gateway} />
        {gateway.features.length > 0 && (
          <HStack wrap="wrap" as="ul" listStyleType="none" aria-label={say("gateways.features")}>
            {gateway.features.map((feature) => (
              <li key={feature}>
                <Badge variant="outline">{say(`gateways.feature_${feature}`)}</Badge>
              </li>
            ))}
          </HStack>
        )}
        <Tests gateway={gateway} />
      </Stack>
    </Box>
  );
}

function Pace({ gateway }: { gateway: Gateway }) {
  const say = useSay();
  const { parts_per_s: rate, limit_parts_per_s: limit } = gateway.pace;
  if (!limit) {
    return <Text fontSize="sm">{say("gateways.rate", { rate })}</Text>;
  }
  return <Bar label={say("gateways.rate_of", { rate, limit })} value={rate} most={limit} />;
}

function Hour({ gateway }: { gateway: Gateway }) {
  const say = useSay();
  const { error_rate, accepted, failed, unknown } = gateway.last_hour;
  return (
    <Stack gap={1} fontSize="sm">
      <Text>
        {error_rate === null ? (
          say("gateways.quiet")
        ) : (
          <>
            {say("gateways.hour", { accepted, failed, unknown })} (<Share value={error_rate} />)
          </>
        )}
      </Text>
      <Text>
        {say("gateways.last_receipt")}{" "}
        {gateway.last_receipt_at ? (
          <When at={gateway.last_receipt_at} />
        ) : (
          say("gateways.no_receipt")
        )}
      </Text>
    </Stack>
  );
}

function Busy({ gateway }: { gateway: Gateway }) {
  const say = useSay();
  if (gateway.deliveries.length + gateway.more_deliveries === 0) {
    return null;
  }
  return (
    <Stack gap={1} fontSize="sm">
      <Text fontWeight="medium">{say("gateways.sending")}</Text>
      {gateway.deliveries.map((one) => (
        <HStack key={one.id} wrap="wrap">
          <Link asChild variant="underline">
            <RouterLink to={deliveryAddress(one.id, "sending")}>{one.label || one.id}</RouterLink>
          </Link>
          <State state={one.state} />
        </HStack>
      ))}
      {gateway.more_deliveries > 0 && (
        <Text color="fg.muted">{say("gateways.others", { count: gateway.more_deliveries })}</Text>
      )}
    </Stack>
  );
}
