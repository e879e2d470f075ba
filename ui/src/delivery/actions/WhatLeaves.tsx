import { Alert, Box, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useIntl } from "react-intl";
import { answerOf, api } from "~/api/client";
import { useIsOff } from "~/switch/useSwitch";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";

/** What Send lets go: how many, at what cost, from whom, and the first message. */
export function WhatLeaves({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const intl = useIntl();
  const isOff = useIsOff();
  const path = { delivery_id: header.delivery };
  const review = useQuery({
    queryKey: ["review", header.delivery],
    queryFn: () =>
      answerOf(api.GET("/api/v1/deliveries/{delivery_id}/review", { params: { path } })),
  });
  const cost = review.data?.cost;
  const first = review.data?.samples[0];
  const money =
    cost?.total &&
    intl.formatNumber(Number(cost.total), { style: "currency", currency: cost.currency });
  return (
    <Stack gap={2}>
      {isOff && (
        <Alert.Root status="warning">
          <Alert.Indicator />
          <Alert.Title>{say("delivery.send_while_off")}</Alert.Title>
        </Alert.Root>
      )}
      <Text fontWeight="semibold">
        {say("delivery.count", { people: header.to_deliver, parts: header.parts })}
      </Text>
      <Text>
        {money
          ? say(cost.is_complete ? "delivery.costs" : "delivery.costs_at_least", { money })
          : say("delivery.cost_unknown")}
      </Text>
      {header.senders.length > 0 && (
        <Text>{say("delivery.from", { senders: header.senders.join(", ") })}</Text>
      )}
      {first && (
        <Box borderWidth="1px" borderRadius="md" p={3} bg="bg.subtle" whiteSpace="pre-wrap">
          {first.text}
        </Box>
      )}
      <Text>{say(header.dry_run ? "delivery.dry_run" : "delivery.no_way_back")}</Text>
    </Stack>
  );
}
