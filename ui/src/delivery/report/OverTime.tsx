import { Button, Table, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useIntl } from "react-intl";
import { answerOf, api } from "~/api/client";
import { ListTable } from "~/parts/ListTable";
import { Count } from "~/parts/numbers";
import { Section } from "~/parts/Section";
import { useSay } from "~/words/useSay";
import { Line } from "../sending/Line";
import type { DeliveryHeader } from "../useHeader";

/** Messages settled and delivered over time: sums, so a gap draws a straight line. */
export function OverTime({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const intl = useIntl();
  const [isTable, setTable] = useState(false);
  const read = useQuery({
    queryKey: ["throughput", header.delivery],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/deliveries/{delivery_id}/throughput", {
          params: { path: { delivery_id: header.delivery } },
        }),
      ),
    refetchInterval: 15_000,
  });
  const points = read.data?.points ?? [];
  const last = points.at(-1);
  const values = (of: "settled" | "delivered") =>
    points.map((point) => ({ at: Date.parse(point.at), value: point[of] }));
  const label = say("report.chart", {
    total: intl.formatNumber(last?.settled ?? 0),
    delivered: intl.formatNumber(last?.delivered ?? 0),
  });
  const title = say("report.over_time");
  const toggle = (
    <Button size="xs" variant="outline" onClick={() => setTable(!isTable)}>
      {say(isTable ? "report.chart_only" : "report.table")}
    </Button>
  );
  if (!last) {
    return (
      <Section title={title}>
        <Text color="fg.muted">{say("report.no_chart")}</Text>
      </Section>
    );
  }
  return (
    <Section title={title} aside={toggle}>
      <Line
        label={label}
        most={Math.max(...points.map((point) => point.settled))}
        lines={[
          { palette: "blue", values: values("settled") },
          { palette: "green", values: values("delivered") },
        ]}
      />
      <Text color="fg.muted" fontSize="sm">
        {label}
      </Text>
      {isTable && (
        <ListTable
          label={title}
          columns={["when", "settled", "delivered"]}
          head={(name) => say(`report.${name}`)}
        >
          {points.map((point) => (
            <Table.Row key={point.at}>
              <Table.Cell>
                {intl.formatDate(point.at, { dateStyle: "short", timeStyle: "medium" })}
              </Table.Cell>
              <Table.Cell>
                <Count value={point.settled} />
              </Table.Cell>
              <Table.Cell>
                <Count value={point.delivered} />
              </Table.Cell>
            </Table.Row>
          ))}
        </ListTable>
      )}
    </Section>
  );
}
