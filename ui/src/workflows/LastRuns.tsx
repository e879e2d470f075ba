import { Button, Link, Stack, Table, Text } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import type { components } from "~/api/schema";
import { ListTable } from "~/parts/ListTable";
import { Section } from "~/parts/Section";
import { When } from "~/parts/When";
import { runAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { DeliveryLine } from "./DeliveryLine";
import { RunState } from "./RunState";

type Workflow = components["schemas"]["WorkflowDetail"];
type Props = { workflow: Workflow; onShow: (runId: string) => void };
const COLUMNS = ["run", "run_state", "run_when", "deliveries", "show_counts"] as const;
const KINDS = new Set(["manual", "scheduled", "backfill", "asset_triggered"]);

/** The last runs with what they made; each can be shown in the graph. */
export function LastRuns({ workflow, onShow }: Props) {
  const say = useSay();
  const title = say("workflows.runs");
  if (workflow.runs.length === 0) {
    return (
      <Section title={title}>
        <Text>{say("workflows.runs_none")}</Text>
      </Section>
    );
  }
  return (
    <Section title={title}>
      <ListTable label={title} columns={COLUMNS} head={(name) => say(`workflows.${name}`)}>
        {workflow.runs.map((one) => (
          <Line
            key={one.run_id}
            dagId={workflow.dag_id}
            run={one}
            isShown={one.run_id === workflow.run_id}
            onShow={onShow}
          />
        ))}
      </ListTable>
    </Section>
  );
}

type LineProps = {
  dagId: string;
  run: Workflow["runs"][number];
  isShown: boolean;
  onShow: (runId: string) => void;
};

function Line({ dagId, run, isShown, onShow }: LineProps) {
  const say = useSay();
  const kind = KINDS.has(run.kind) ? run.kind : "other";
  return (
    <Table.Row verticalAlign="top">
      <Table.Cell>
        <Link asChild variant="underline">
          <RouterLink to={runAddress(dagId, run.run_id)}>{run.run_id}</RouterLink>
        </Link>
        <Text color="fg.muted" fontSize="sm">
          {say(`workflows.kind_${kind}`)}
          {run.started_by && ` ${say("workflows.by", { who: run.started_by })}`}
        </Text>
      </Table.Cell>
      <Table.Cell>
        <RunState state={run.state} />
      </Table.Cell>
      <Table.Cell>
        <When at={run.started_at ?? run.run_after} />
      </Table.Cell>
      <Table.Cell>
        <Stack gap={2}>
          {run.deliveries.length === 0 && say("workflows.no_delivery")}
          {run.deliveries.map((one) => (
            <DeliveryLine key={one.delivery} row={one} />
          ))}
        </Stack>
      </Table.Cell>
      <Table.Cell>
        {isShown ? (
          say("workflows.counts_shown")
        ) : (
          <Button
            size="xs"
            variant="outline"
            aria-label={`${say("workflows.show_counts")}: ${run.run_id}`}
            onClick={() => onShow(run.run_id)}
          >
            {say("workflows.show_counts")}
          </Button>
        )}
      </Table.Cell>
    </Table.Row>
  );
}
