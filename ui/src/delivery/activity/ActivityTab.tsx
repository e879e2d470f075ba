import { Badge, Box, HStack, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useIntl } from "react-intl";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Empty } from "~/parts/Empty";
import { Loading } from "~/parts/Loading";
import { Pager } from "~/parts/Pager";
import { Section } from "~/parts/Section";
import { Trouble } from "~/parts/Trouble";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";
import { KNOWN } from "./events";
import { factsOf } from "./facts";

type Entry = components["schemas"]["ActivityEntry"];

/** Who did what when, newest first, over all preparations. */
export function ActivityTab({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const [before, setBefore] = useState<string | null>(null);
  const read = useQuery({
    queryKey: ["activity", header.delivery, before],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/deliveries/{delivery_id}/activity", {
          params: {
            path: { delivery_id: header.delivery },
            query: before ? { before } : {},
          },
        }),
      ),
    refetchInterval: 15_000,
  });
  if (read.error && !read.data) {
    return (
      <Trouble
        error={read.error}
        what={say("activity.cannot_show")}
        onRetry={() => read.refetch()}
      />
    );
  }
  if (!read.data) {
    return <Loading lines={8} />;
  }
  if (read.data.entries.length === 0) {
    return <Empty title={say("activity.none")}>{say("activity.none_how")}</Empty>;
  }
  return (
    <Section title={say("activity.title")}>
      <Stack as="ol" gap={0} listStyleType="none">
        {read.data.entries.map((entry) => (
          <Line key={entry.id} entry={entry} />
        ))}
      </Stack>
      <Pager
        next={read.data.next}
        isFirst={before === null}
        onNext={setBefore}
        onFirst={() => setBefore(null)}
      />
    </Section>
  );
}

function Line({ entry }: { entry: Entry }) {
  const say = useSay();
  const name = KNOWN.has(entry.event)
    ? say(`activity.event_${entry.event}`)
    : entry.event.replaceAll("_", " ");
  return (
    <Box as="li" borderTopWidth="1px" py={3}>
      <HStack wrap="wrap" gap={2}>
        <Text fontWeight="medium">{name}</Text>
        {(entry.level === "warning" || entry.level === "error") && (
          <Badge colorPalette={entry.level === "error" ? "red" : "orange"}>
            {say(`activity.${entry.level}`)}
          </Badge>
        )}
        <Text color="fg.muted" fontSize="sm">
          {entry.actor ? say("activity.by", { actor: entry.actor }) : say("activity.system")}
          {entry.via && ` ${say("activity.via", { via: entry.via })}`} · <When at={entry.at} />
        </Text>
      </HStack>
      {entry.comment && <Text overflowWrap="anywhere">“{entry.comment}”</Text>}
      <Facts facts={entry.facts} />
    </Box>
  );
}

/** The counts and codes of an entry. */
function Facts({ facts }: { facts: Entry["facts"] }) {
  const say = useSay();
  const intl = useIntl();
  const told = factsOf(facts, {
    money: (amount, currency) => intl.formatNumber(amount, { style: "currency", currency }),
    day: (day) => intl.formatDate(day, { dateStyle: "medium", timeZone: "UTC" }),
  });
  if (told.length === 0) {
    return null;
  }
  return (
    <Text color="fg.muted" fontSize="sm" overflowWrap="anywhere">
      {told
        .map(({ key, name, value }) => (key ? say(key, { value }) : `${name} ${value}`))
        .join(" · ")}
    </Text>
  );
}
