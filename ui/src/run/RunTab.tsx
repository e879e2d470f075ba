import { Button, Heading, HStack, Stack } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import { figureOf } from "~/deliveries/DeliveryTable";
import { Rows } from "~/deliveries/Rows";
import { Standing } from "~/deliveries/Standing";
import { type Row, useDeliveries } from "~/deliveries/useDeliveries";
import { Asked } from "~/parts/Asked";
import { Empty } from "~/parts/Empty";
import { Kpi, Kpis } from "~/parts/Kpi";
import { deliveryAddress } from "~/shell/addresses";
import type { Place } from "~/shell/inAirflow";
import { useSay } from "~/words/useSay";

const FIGURES = ["targeted", "to_deliver", "sent", "delivered", "failed", "cost"] as const;

/** The deliveries of one run, as a tab of Airflow's page of it. */
export function RunTab({ dagId = "", runId = "" }: Place) {
  const say = useSay();
  const asked = useDeliveries({ dag_id: dagId, run_id: runId, limit: 50 });
  return (
    <Stack gap={4} p={{ base: 2, md: 4 }}>
      <Asked query={asked} failed={say("run.cannot_list")} lines={3}>
        {({ deliveries }) => <Found rows={deliveries} />}
      </Asked>
    </Stack>
  );
}

function Found({ rows }: { rows: Row[] }) {
  const say = useSay();
  const [first, ...more] = rows;
  if (!first) {
    return <Empty title={say("run.none")}>{say("run.none_text")}</Empty>;
  }
  if (more.length === 0) {
    return <Only row={first} />;
  }
  return (
    <>
      <Heading as="h2" size="lg">
        {say("run.title")}
      </Heading>
      <Rows rows={rows} label={say("run.title")} />
    </>
  );
}

/** The one delivery of a run: its heading, its figures, and the way to the rest. */
function Only({ row }: { row: Row }) {
  const say = useSay();
  return (
    <>
      <HStack justify="space-between" align="start" wrap="wrap" gap={3}>
        <Stack gap={2}>
          <Heading as="h2" size="lg">
            {row.label || row.delivery}
          </Heading>
          <Standing row={row} />
        </Stack>
        <Button asChild colorPalette="blue">
          <RouterLink to={deliveryAddress(row.delivery)}>{say("run.open")}</RouterLink>
        </Button>
      </HStack>
      <Kpis>
        {FIGURES.map((name) => (
          <Kpi key={name} label={say(`deliveries.${name}`)} value={figureOf(row, name)} />
        ))}
      </Kpis>
    </>
  );
}
