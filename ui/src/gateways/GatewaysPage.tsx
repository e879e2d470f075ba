import { SimpleGrid, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Asked } from "~/parts/Asked";
import { Empty } from "~/parts/Empty";
import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";
import { Bar } from "./Bar";
import { GatewayCard } from "./GatewayCard";

/** The gateways and how they are. */
export function GatewaysPage() {
  const say = useSay();
  const found = useQuery({
    queryKey: ["gateways"],
    queryFn: () => answerOf(api.GET("/api/v1/gateways")),
    refetchInterval: ({ state }) =>
      state.data?.gateways.some((one) => one.deliveries.length > 0) ? 5_000 : 20_000,
  });
  return (
    <Page title={say("navigation.gateways")}>
      <Text color="fg.muted">{say("gateways.text")}</Text>
      <Asked query={found} failed={say("gateways.failed")}>
        {(all) => <List {...all} />}
      </Asked>
    </Page>
  );
}

function List({ gateways, daily }: components["schemas"]["Gateways"]) {
  const say = useSay();
  if (gateways.length === 0) {
    return <Empty title={say("gateways.empty")}>{say("gateways.empty_text")}</Empty>;
  }
  return (
    <Stack gap={4}>
      {daily.cap > 0 ? (
        <Bar label={say("gateways.daily_cap", daily)} value={daily.parts} most={daily.cap} />
      ) : (
        <Text>{say("gateways.no_cap")}</Text>
      )}
      <SimpleGrid columns={{ base: 1, lg: 2 }} gap={4} alignItems="start">
        {gateways.map((one) => (
          <GatewayCard key={one.conn_id} gateway={one} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}
