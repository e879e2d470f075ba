import { Badge, Text } from "@chakra-ui/react";
import { useIntl } from "react-intl";
import type { components } from "~/api/schema";
import { useSay } from "~/words/useSay";

/** When a workflow runs, in words where Airflow has some in the reader's language. */
export function Schedule({ workflow }: { workflow: components["schemas"]["WorkflowRow"] }) {
  const say = useSay();
  const { locale } = useIntl();
  // Airflow's words are English.
  const words = locale.startsWith("en") ? workflow.schedule_words : "";
  return (
    <>
      {workflow.schedule === null ? (
        <Text>{say("workflows.no_schedule")}</Text>
      ) : (
        <>
          <Text>{words || workflow.schedule}</Text>
          <Text color="fg.muted" fontSize="sm">
            {say("workflows.zone", { zone: workflow.timezone })}
          </Text>
        </>
      )}
      {workflow.is_paused && <Badge colorPalette="orange">{say("workflows.paused")}</Badge>}
    </>
  );
}
