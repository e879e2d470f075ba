import { Button, Table, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useIntl } from "react-intl";
import { ListTable } from "~/parts/ListTable";
import { Count } from "~/parts/numbers";
import { Section } from "~/parts/Section";
import { useSay } from "~/words/useSay";
import { type Rate, ratesOf, type Sum } from "./chart";
import { Line } from "./Line";

/** How quickly messages were settled in the last 15 minutes. */
export function Recent({ points }: { points: Sum[] }) {
  const say = useSay();
  const intl = useIntl();
  const [isTable, setTable] = useState(false);
  const rates = ratesOf(points);
  const most = Math.max(0, ...rates.map((rate) => rate.perS));
  const shown = intl.formatNumber(most, { maximumFractionDigits: 1 });
  // A rate holds from one sample to the next: a step, not a slope.
  const values = rates.flatMap((rate) => [
    { at: rate.from, value: rate.perS },
    { at: rate.until, value: rate.perS },
  ]);
  return (
    <Section
      title={say("sending.recent")}
      aside={
        rates.length > 0 && (
          <Button size="xs" variant="outline" onClick={() => setTable(!isTable)}>
            {say(isTable ? "sending.chart_only" : "sending.table")}
          </Button>
        )
      }
    >
      {rates.length === 0 ? (
        <Text color="fg.muted">{say("sending.no_chart")}</Text>
      ) : (
        <Line
          label={say("sending.chart", { most: shown })}
          most={most}
          lines={[{ palette: "blue", values }]}
        />
      )}
      {isTable && <Rates rates={rates} />}
    </Section>
  );
}

function Rates({ rates }: { rates: Rate[] }) {
  const say = useSay();
  const intl = useIntl();
  return (
    <ListTable
      label={say("sending.recent")}
      columns={["when", "rate", "settled"]}
      head={(name) => say(`sending.${name}`)}
      ends={["when", "rate", "settled"]}
    >
      {rates.toReversed().map((rate) => (
        <Table.Row key={rate.at}>
          <Table.Cell textAlign="end">
            {intl.formatTime(rate.until, { timeStyle: "medium" })}
          </Table.Cell>
          <Table.Cell textAlign="end">
            {intl.formatNumber(rate.perS, { maximumFractionDigits: 1 })}
          </Table.Cell>
          <Table.Cell textAlign="end">
            <Count value={rate.settled} />
          </Table.Cell>
        </Table.Row>
      ))}
    </ListTable>
  );
}
