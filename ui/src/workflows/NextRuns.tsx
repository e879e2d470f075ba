import { Alert, Table, Text } from "@chakra-ui/react";
import { useIntl } from "react-intl";
import type { components } from "~/api/schema";
import { ListTable } from "~/parts/ListTable";
import { Section } from "~/parts/Section";
import { useSay } from "~/words/useSay";

type Workflow = components["schemas"]["WorkflowDetail"];

/** What the schedule plans, in the time zone of the schedule. */
export function NextRuns({ workflow }: { workflow: Workflow }) {
  const say = useSay();
  const intl = useIntl();
  const told = (at: string) =>
    intl.formatDate(at, {
      dateStyle: "full",
      timeStyle: "short",
      timeZone: workflow.timezone,
    });
  const title = say("workflows.next_runs");
  if (workflow.next_runs.length === 0) {
    const why = workflow.schedule === null ? "next_none" : "next_over";
    return (
      <Section title={title}>
        <Text>{say(`workflows.${why}`)}</Text>
      </Section>
    );
  }
  return (
    <Section title={title} aside={say("workflows.zone", { zone: workflow.timezone })}>
      {workflow.is_paused && (
        <Alert.Root status="warning">
          <Alert.Indicator />
          <Alert.Description>{say("workflows.next_paused")}</Alert.Description>
        </Alert.Root>
      )}
      <ListTable
        label={title}
        columns={["starts", "data_of"]}
        head={(name) => say(`workflows.${name}`)}
      >
        {workflow.next_runs.map((one) => (
          <Table.Row key={one.starts_at}>
            <Table.Cell>{told(one.starts_at)}</Table.Cell>
            <Table.Cell color="fg.muted">
              {one.interval_start && one.interval_end !== one.interval_start
                ? `${told(one.interval_start)} – ${told(one.interval_end ?? one.starts_at)}`
                : say("workflows.data_moment")}
            </Table.Cell>
          </Table.Row>
        ))}
      </ListTable>
    </Section>
  );
}
