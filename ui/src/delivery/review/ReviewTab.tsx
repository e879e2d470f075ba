import { Alert, SimpleGrid, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "~/api/client";
import { Loading } from "~/parts/Loading";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { AudienceFound } from "./AudienceFound";
import { Breakdown } from "./Breakdown";
import { Countries } from "./Countries";
import { LeavingPlan } from "./LeavingPlan";
import { Log } from "./Log";
import { Preparing } from "./Preparing";
import { Samples } from "./Samples";
import { SinceLastRun } from "./SinceLastRun";
import { Standing } from "./Standing";
import type { Review } from "./shapes";
import { Tiles } from "./Tiles";
import { Waterfall } from "./Waterfall";

type Props = { header: { delivery: string } };

/** Everything to look at before somebody says Send. */
export function ReviewTab({ header }: Props) {
  const say = useSay();
  const path = { delivery_id: header.delivery };
  const read = useQuery({
    queryKey: ["review", header.delivery],
    queryFn: () =>
      answerOf(api.GET("/api/v1/deliveries/{delivery_id}/review", { params: { path } })),
    refetchInterval: ({ state }) => (state.data?.state === "preparing" ? 2_000 : 30_000),
  });
  if (read.data) {
    return <Shown review={read.data} />;
  }
  if (read.error) {
    return (
      <Trouble error={read.error} what={say("review.cannot_show")} onRetry={() => read.refetch()} />
    );
  }
  return <Loading lines={8} />;
}

function Shown({ review }: { review: Review }) {
  // What was there when the tab was opened; the null of a preparation under way is followed.
  const [seen, setSeen] = useState(review.fingerprint);
  if (seen === null && review.fingerprint !== null) {
    setSeen(review.fingerprint);
  }
  if (review.state === "preparing") {
    return <Preparing progress={review.progress} />;
  }
  const isPrepared = review.fingerprint !== null;
  return (
    <Stack gap={4}>
      {isPrepared && seen !== null && seen !== review.fingerprint && <PreparedAgain />}
      <Standing review={review} />
      {isPrepared && (
        <>
          <Tiles review={review} />
          <SimpleGrid columns={{ base: 1, lg: 2 }} gap={4} alignItems="start">
            <Stack gap={4} minW={0}>
              <Waterfall review={review} />
              {review.to_deliver > 0 && <Countries review={review} />}
            </Stack>
            <Samples key={review.fingerprint} review={review} />
          </SimpleGrid>
          <Details review={review} />
        </>
      )}
      <Log review={review} />
    </Stack>
  );
}

/** Nobody is to send what they have not looked at because the page followed by itself. */
function PreparedAgain() {
  const say = useSay();
  return (
    <Alert.Root status="warning" role="alert" alignItems="start">
      <Alert.Indicator />
      <Stack gap={1}>
        <Alert.Title>{say("review.again")}</Alert.Title>
        <Text>{say("review.again_do")}</Text>
      </Stack>
    </Alert.Root>
  );
}

function Details({ review }: { review: Review }) {
  return (
    <SimpleGrid columns={{ base: 1, lg: 2 }} gap={4} alignItems="start">
      <Stack gap={4} minW={0}>
        {review.audience && (
          <AudienceFound found={review.audience} preparedAt={review.prepared_at} />
        )}
        <SinceLastRun changes={review.changes} />
      </Stack>
      <Stack gap={4} minW={0}>
        {review.to_deliver > 0 && <LeavingPlan leaving={review.leaving} isDry={review.dry_run} />}
        {review.to_deliver > 0 && <Breakdown review={review} />}
      </Stack>
    </SimpleGrid>
  );
}
