import { SimpleGrid, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Empty } from "~/parts/Empty";
import { Loading } from "~/parts/Loading";
import { Page } from "~/parts/Page";
import { Trouble } from "~/parts/Trouble";
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
      {found.isPending && <Loading />}
      {found.isError && (
        <Trouble
          error={found.error}
          what={say("gateways.failed")}
          onRetry={() => void found.refetch()}
        />
      )}
      {found.data && <List {...found.data} />}
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
        <Text>{say("gateways.no_cap", { parts: daily.parts })}</Text>
      )}
      <SimpleGrid columns={{ base: 1, lg: 2 }} gap={4} alignItems="start">
        {gateways.map((one) => (
          <GatewayCard key={one.conn_id} gateway={one} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}
