import { Alert, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import { Empty } from "~/parts/Empty";
import { Loading } from "~/parts/Loading";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";
import { Counted } from "./Counted";
import { Export } from "./Export";
import { OverTime } from "./OverTime";
import { Result } from "./Result";

/** What became of a delivery. */
export function ReportTab({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const path = { delivery_id: header.delivery };
  const read = useQuery({
    queryKey: ["report", header.delivery],
    queryFn: () => answerOf(api.GET("/api/v1/deliveries/{delivery_id}", { params: { path } })),
    refetchInterval: header.state === "sending" ? 5_000 : 15_000,
  });
  if (header.sending_at === null) {
    return <Empty title={say("report.none")}>{say("report.none_how")}</Empty>;
  }
  const trouble = read.error && (
    <Trouble error={read.error} what={say("report.cannot_show")} onRetry={() => read.refetch()} />
  );
  if (!read.data) {
    return trouble || <Loading lines={8} />;
  }
  const archived = read.data.archived;
  return (
    <Stack gap={4} minW={0}>
      {trouble}
      {archived && (
        <Alert.Root status="info">
          <Alert.Indicator />
          <Stack gap={1} minW={0}>
            <Alert.Title>{say("report.archived")}</Alert.Title>
            <Text overflowWrap="anywhere">
              {archived.uri
                ? say("report.archived_at", { uri: archived.uri })
                : say("report.archived_dropped")}
            </Text>
          </Stack>
        </Alert.Root>
      )}
      <Result header={header} report={read.data} />
      <OverTime header={header} />
      <Counted header={header} />
      {!archived && <Export header={header} />}
    </Stack>
  );
}
