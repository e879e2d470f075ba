import { DataList } from "@chakra-ui/react";
import { useIntl } from "react-intl";
import { Section } from "~/parts/Section";
import type { Say } from "~/words/useSay";
import { useSay } from "~/words/useSay";
import { Fact } from "./Fact";
import type { Leaving } from "./shapes";
import { useDuration } from "./useDuration";

/** How it will leave: through what, how fast, in which waves, for how long. */
export function LeavingPlan({ leaving, isDry }: { leaving: Leaving; isDry: boolean }) {
  const say = useSay();
  const duration = useDuration();
  const shortest = leaving.shortest_s;
  return (
    <Section title={say(isDry ? "review.leaving_dry" : "review.leaving")}>
      <DataList.Root orientation="horizontal" size="sm" gap={1}>
        <Gateways leaving={leaving} />
        {shortest !== null && (
          <Fact label={say("review.takes")}>
            {say("review.at_least", { time: duration(shortest) })}
          </Fact>
        )}
        {leaving.spread && (
          <Fact label={say("review.spread")}>{spreadOf(leaving, say, duration)}</Fact>
        )}
        <Waves leaving={leaving} />
        <Fact label={say("review.validity")}>
          {leaving.validity_s ? duration(leaving.validity_s) : say("review.no_validity")}
        </Fact>
        <Pauses leaving={leaving} />
        <Fact label={say("review.doubt")}>
          {leaving.doubt === "at_least_once"
            ? say("review.doubt_again", { time: duration(leaving.doubt_after_s) })
            : say("review.doubt_never")}
        </Fact>
      </DataList.Root>
    </Section>
  );
}

function Gateways({ leaving }: { leaving: Leaving }) {
  const say = useSay();
  return leaving.gateways.map((gate, place) => (
    <Fact key={gate.conn_id} label={say(place === 0 ? "review.gateway" : "review.second_gateway")}>
      {gate.conn_id}
      {gate.parts_per_s ? ` · ${say("review.pace", { parts: gate.parts_per_s })}` : ""}
      {gate.sender_parts_per_s
        ? ` · ${say("review.pace_sender", { parts: gate.sender_parts_per_s })}`
        : ""}
      {gate.parts_per_s === 0 && !gate.sender_parts_per_s ? ` · ${say("review.no_pace")}` : ""}
    </Fact>
  ));
}

function spreadOf({ spread }: Leaving, say: Say, duration: (seconds: number) => string): string {
  if (spread?.over_s) {
    return say("review.spread_over", { time: duration(spread.over_s) });
  }
  return say("review.spread_until", {
    time: spread?.finish_by ?? "",
    zone: spread?.time_zone ?? "",
  });
}

function Waves({ leaving: { waves } }: { leaving: Leaving }) {
  const say = useSay();
  const intl = useIntl();
  const duration = useDuration();
  if (!waves) {
    return null;
  }
  const ends = waves.until.map((end) => intl.formatNumber(end)).join(", ");
  return (
    <Fact label={say("review.waves")}>
      {say("review.waves_until", { ends })}
      {" · "}
      {waves.ask
        ? say("review.waves_ask")
        : say("review.waves_wait", { time: duration(waves.wait_s) })}
    </Fact>
  );
}

function Pauses({ leaving: { pause_when: when } }: { leaving: Leaving }) {
  const say = useSay();
  const intl = useIntl();
  const share = (value: number) =>
    intl.formatNumber(value, { style: "percent", maximumFractionDigits: 1 });
  const causes = [
    when.failed && say("review.pause_failed", { share: share(when.failed) }),
    when.opted_out && say("review.pause_opted_out", { share: share(when.opted_out) }),
  ].filter(Boolean);
  return (
    <Fact label={say("review.pauses")}>{causes.join(" · ") || say("review.pauses_never")}</Fact>
  );
}
