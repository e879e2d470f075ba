import { Button, Heading, HStack, Stack } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import { figureOf } from "~/deliveries/DeliveryTable";
import { Rows } from "~/deliveries/Rows";
import { Standing } from "~/deliveries/Standing";
import { type Row, useDeliveries } from "~/deliveries/useDeliveries";
import { Empty } from "~/parts/Empty";
import { Kpi, Kpis } from "~/parts/Kpi";
import { Loading } from "~/parts/Loading";
import { Trouble } from "~/parts/Trouble";
import { deliveryAddress } from "~/shell/addresses";
import type { Place } from "~/shell/inAirflow";
import { useSay } from "~/words/useSay";

const FIGURES = ["targeted", "to_deliver", "sent", "delivered", "failed", "cost"] as const;

/** The deliveries of one run, as a tab of Airflow's page of it. */
export function RunTab({ dagId = "", runId = "" }: Place) {
  const say = useSay();
  const asked = useDeliveries({ dag_id: dagId, run_id: runId, limit: 50 });
  const rows = asked.data?.deliveries ?? [];
  const [only] = rows;
  return (
    <Stack gap={4} p={{ base: 2, md: 4 }}>
      {asked.isPending && <Loading lines={3} />}
      {asked.isError && (
        <Trouble
          error={asked.error}
          what={say("run.cannot_list")}
          onRetry={() => void asked.refetch()}
        />
      )}
      {asked.isSuccess && only === undefined && (
        <Empty title={say("run.none")}>{say("run.none_text")}</Empty>
      )}
      {only !== undefined && rows.length === 1 && <Only row={only} />}
      {rows.length > 1 && (
        <>
          <Heading as="h2" size="lg">
            {say("run.title")}
          </Heading>
          <Rows rows={rows} label={say("run.title")} />
        </>
      )}
    </Stack>
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
