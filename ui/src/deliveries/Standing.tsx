import { Progress, Stack, Text } from "@chakra-ui/react";
import { useIntl } from "react-intl";
import { State } from "~/parts/State";
import { When } from "~/parts/When";
import { type Say, useSay } from "~/words/useSay";
import type { Row } from "./useDeliveries";

/** Why a person must look at it, in words. */
export function whyOf(row: Row, say: Say): string | null {
  if (row.attention === null) {
    return null;
  }
  if (row.attention === "paused" && row.pause_reason) {
    return say(`deliveries.paused_${row.pause_reason}`);
  }
  return say(`deliveries.why_${row.attention}`, { count: row.unknown });
}

/** A time that is left, in words. */
export function leftOf(seconds: number, say: Say): string {
  if (seconds < 60) {
    return say("deliveries.under_a_minute");
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 90
    ? say("deliveries.minutes", { count: minutes })
    : say("deliveries.hours", { count: Math.round(minutes / 60) });
}

/** Where a delivery stands: its state, since when, how far it is, why it needs somebody. */
export function Standing({ row }: { row: Row }) {
  const say = useSay();
  // Of these the state says it all.
  const isPlain = row.attention === "waiting_for_review" || row.attention === "preparation_failed";
  const why = isPlain ? null : whyOf(row, say);
  return (
    <Stack gap={1} align="start">
      <State state={row.state} />
      {why && <Text fontSize="sm">{why}</Text>}
      {row.state === "sending" && <Sent row={row} />}
      {row.state === "preparing" && <Prepared row={row} />}
      <Text fontSize="sm" color="fg.muted">
        <When at={row.moved_at} />
      </Text>
    </Stack>
  );
}

function Sent({ row }: { row: Row }) {
  const say = useSay();
  const intl = useIntl();
  const share = row.to_deliver ? 1 - row.waiting / row.to_deliver : 0;
  const settled = intl.formatNumber(share, { style: "percent" });
  return (
    <>
      <Progress.Root value={Math.round(share * 100)} size="sm" width="9rem" colorPalette="blue">
        <Progress.Track aria-label={say("deliveries.progress", { share: settled })}>
          <Progress.Range />
        </Progress.Track>
      </Progress.Root>
      <Text fontSize="sm">
        {settled}
        {row.left_s !== null && `, ${say("deliveries.left", { left: leftOf(row.left_s, say) })}`}
      </Text>
    </>
  );
}

function Prepared({ row }: { row: Row }) {
  const say = useSay();
  const intl = useIntl();
  const done = row.progress?.texts;
  const all = row.progress?.targeted;
  return (
    <Text fontSize="sm">
      {done && all
        ? say("deliveries.texts_of", {
            done: intl.formatNumber(done),
            all: intl.formatNumber(all),
          })
        : say("deliveries.reading")}
    </Text>
  );
}
