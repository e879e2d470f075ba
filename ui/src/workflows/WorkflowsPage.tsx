import { Link, Table, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Link as RouterLink } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Asked } from "~/parts/Asked";
import { Empty } from "~/parts/Empty";
import { ListTable } from "~/parts/ListTable";
import { Page } from "~/parts/Page";
import { When } from "~/parts/When";
import { workflowAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { DeliveryLine } from "./DeliveryLine";
import { RunState } from "./RunState";
import { Schedule } from "./Schedule";

type Row = components["schemas"]["WorkflowRow"];
const COLUMNS = ["name", "schedule", "next", "last_run", "last_delivery"] as const;

/** Every workflow the reader may see. */
export function WorkflowsPage() {
  const say = useSay();
  const found = useQuery({
    queryKey: ["workflows"],
    queryFn: () => answerOf(api.GET("/api/v1/workflows")),
    refetchInterval: 20_000,
  });
  return (
    <Page title={say("navigation.workflows")}>
      <Asked query={found} failed={say("workflows.failed")}>
        {({ workflows }) => <List rows={workflows} />}
      </Asked>
    </Page>
  );
}

function List({ rows }: { rows: Row[] }) {
  const say = useSay();
  if (rows.length === 0) {
    return <Empty title={say("workflows.empty")}>{say("workflows.empty_text")}</Empty>;
  }
  return (
    <ListTable
      label={say("navigation.workflows")}
      columns={COLUMNS}
      head={(name) => say(`workflows.column_${name}`)}
      isFramed
    >
      {rows.map((one) => (
        <Line key={one.dag_id} row={one} />
      ))}
    </ListTable>
  );
}

function Line({ row }: { row: Row }) {
  const say = useSay();
  return (
    <Table.Row verticalAlign="top">
      <Table.Cell>
        <Link asChild variant="underline" fontWeight="medium">
          <RouterLink to={workflowAddress(row.dag_id)}>{row.label}</RouterLink>
        </Link>
        {row.label !== row.dag_id && <Text color="fg.muted">{row.dag_id}</Text>}
      </Table.Cell>
      <Table.Cell minW="9rem">
        <Schedule workflow={row} />
      </Table.Cell>
      <Table.Cell>
        {row.next_run ? <When at={row.next_run} /> : say("workflows.not_planned")}
      </Table.Cell>
      <Table.Cell>
        {row.last_run ? (
          <>
            <RunState state={row.last_run.state} />{" "}
            <Text color="fg.muted" fontSize="sm">
              <When at={row.last_run.started_at ?? row.last_run.run_after} />
            </Text>
          </>
        ) : (
          say("workflows.never")
        )}
      </Table.Cell>
      <Table.Cell>
        {row.last_delivery ? <DeliveryLine row={row.last_delivery} /> : say("workflows.never")}
      </Table.Cell>
    </Table.Row>
  );
}
