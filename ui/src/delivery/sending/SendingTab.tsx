import { Alert, Box, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useIntl } from "react-intl";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Empty } from "~/parts/Empty";
import { Kpi, Kpis } from "~/parts/Kpi";
import { Loading } from "~/parts/Loading";
import { Count } from "~/parts/numbers";
import { Section } from "~/parts/Section";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { Bar } from "../review/Bar";
import { useDuration } from "../review/useDuration";
import type { DeliveryHeader } from "../useHeader";
import { Causes } from "./Causes";
import { Recent } from "./Recent";

type Live = components["schemas"]["LiveAnswer"];

/** How a delivery goes at this moment. */
export function SendingTab({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const read = useQuery({
    queryKey: ["live", header.delivery],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/deliveries/{delivery_id}/live", {
          params: { path: { delivery_id: header.delivery } },
        }),
      ),
    enabled: header.sending_at !== null,
    refetchInterval: ({ state }) => (state.data?.state === "sending" ? 2_000 : 15_000),
  });
  if (header.sending_at === null) {
    return <Empty title={say("sending.not_begun")}>{say("sending.not_begun_how")}</Empty>;
  }
  const trouble = read.error && (
    <Trouble error={read.error} what={say("sending.cannot_show")} onRetry={() => read.refetch()} />
  );
  if (!read.data) {
    return trouble || <Loading lines={6} />;
  }
  return (
    <Stack gap={4} minW={0}>
      {trouble}
      <Progress live={read.data} />
      <Figures live={read.data} />
      <Recent points={read.data.points} />
      <Section title={say("sending.causes")}>
        <Causes causes={read.data.causes} label={say("sending.causes")} />
        {!read.data.causes_whole && read.data.causes.length > 0 && (
          <Text color="fg.muted" fontSize="sm">
            {say("sending.some_causes")}
          </Text>
        )}
      </Section>
    </Stack>
  );
}

function Progress({ live }: { live: Live }) {
  const say = useSay();
  const intl = useIntl();
  const share = live.to_deliver ? live.settled / live.to_deliver : 0;
  const total = intl.formatNumber(live.to_deliver);
  // Rounded down: it says 100 % when it is.
  const percent = intl.formatNumber(Math.floor(share * 1000) / 1000, {
    style: "percent",
    maximumFractionDigits: 1,
  });
  return (
    <Section
      title={say("sending.progress")}
      aside={<Text>{say("sending.share", { share: percent })}</Text>}
    >
      <Bar share={share} />
      <Text>{say("sending.of", { settled: intl.formatNumber(live.settled), total })}</Text>
      {live.pause_reason && (
        <Alert.Root status="warning">
          <Alert.Indicator />
          <Alert.Title>{say(`sending.paused_${live.pause_reason}`)}</Alert.Title>
        </Alert.Root>
      )}
      <Box color="fg.muted" fontSize="sm">
        {live.dry_run && <Text>{say("sending.dry_run")}</Text>}
        {live.state === "sending" && <Text>{say("sending.workers", { count: live.workers })}</Text>}
        {live.wave && (
          <Text>
            {live.wave.until === null
              ? say("sending.last_wave", { no: live.wave.no })
              : say("sending.wave", {
                  no: live.wave.no,
                  until: intl.formatNumber(live.wave.until),
                })}
          </Text>
        )}
      </Box>
    </Section>
  );
}

function Figures({ live }: { live: Live }) {
  const say = useSay();
  const counts = ["accepted", "delivered", "undelivered", "failed", "unknown", "waiting"] as const;
  const rest = (["cancelled", "expired"] as const).filter((kind) => live[kind] > 0);
  return (
    <Kpis>
      <Speed live={live} />
      <TimeLeft live={live} />
      {[...counts, ...rest].map((kind) => (
        <Kpi key={kind} label={say(`sending.${kind}`)} value={<Count value={live[kind]} />} />
      ))}
    </Kpis>
  );
}

function Speed({ live }: { live: Live }) {
  const say = useSay();
  const intl = useIntl();
  const limit = live.limit_per_s;
  const isMoving = live.state === "sending" && live.parts_per_s !== null;
  const rate = intl.formatNumber(live.parts_per_s ?? 0, { maximumFractionDigits: 1 });
  const still = live.state === "sending" ? "sending.unknown_yet" : stillOf(live.state);
  const bound = limit
    ? say("sending.of_limit", { limit: intl.formatNumber(limit) })
    : say(limit === 0 ? "sending.no_limit" : "sending.limit_unknown");
  return (
    <Kpi
      label={say("sending.speed")}
      value={isMoving ? say("sending.parts_per_s", { rate }) : say(still)}
      note={bound}
    />
  );
}

function TimeLeft({ live }: { live: Live }) {
  const say = useSay();
  const duration = useDuration();
  if (live.state !== "sending") {
    return <Kpi label={say("sending.left")} value={say(stillOf(live.state))} />;
  }
  if (live.left_s === null) {
    const why = live.per_s === null ? "sending.unknown_yet" : "sending.nothing_moves";
    return <Kpi label={say("sending.left")} value={say(why)} />;
  }
  return (
    <Kpi
      label={say("sending.left")}
      value={duration(live.left_s)}
      note={say("sending.left_note")}
    />
  );
}

function stillOf(state: Live["state"]): string {
  return state === "paused" ? "sending.held" : "sending.ended";
}
