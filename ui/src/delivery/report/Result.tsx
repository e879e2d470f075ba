import { Link, Text } from "@chakra-ui/react";
import { useIntl } from "react-intl";
import { Link as RouterLink } from "react-router-dom";
import type { components } from "~/api/schema";
import { Kpi, Kpis } from "~/parts/Kpi";
import { Count, Money } from "~/parts/numbers";
import { Section } from "~/parts/Section";
import { deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";

type Report = components["schemas"]["Report"];
type Props = { header: DeliveryHeader; report: Report };

/** The figures, and what to know about those in doubt. */
export function Result({ header, report }: Props) {
  const say = useSay();
  const intl = useIntl();
  const share = report.accepted ? report.delivered / report.accepted : 0;
  const percent = intl.formatNumber(Math.floor(share * 1000) / 1000, {
    style: "percent",
    maximumFractionDigits: 1,
  });
  const rest = (["undelivered", "failed", "unknown"] as const).map((kind) => kind);
  const rare = (["cancelled", "expired", "waiting"] as const).filter((kind) => report[kind] > 0);
  return (
    <Section title={say("report.title")}>
      <Kpis>
        <Kpi
          label={say("report.delivered")}
          value={<Count value={report.delivered} />}
          note={say("report.of_accepted", { share: percent })}
        />
        <Kpi
          label={say("report.accepted")}
          value={<Count value={report.accepted} />}
          note={say("report.of_to_deliver", { total: intl.formatNumber(report.to_deliver) })}
        />
        {[...rest, ...rare].map((kind) => (
          <Kpi key={kind} label={say(`report.${kind}`)} value={<Count value={report[kind]} />} />
        ))}
        <Kpi label={say("report.cost")} value={<Cost cost={header.cost} />} />
      </Kpis>
      {report.unknown > 0 && (
        <Text>
          {say("report.unknown_why")}{" "}
          <Link asChild variant="underline">
            <RouterLink to={`${deliveryAddress(header.delivery, "log")}?state=unknown`}>
              {say("report.unknown_list")}
            </RouterLink>
          </Link>
        </Text>
      )}
    </Section>
  );
}

function Cost({ cost }: { cost: DeliveryHeader["cost"] }) {
  const say = useSay();
  if (!cost?.total) {
    return <>{say("report.cost_unknown")}</>;
  }
  return <Money amount={String(cost.total)} currency={String(cost.currency)} />;
}
