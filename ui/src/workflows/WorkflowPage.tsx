import { Alert, Button, Link, Stack, Text } from "@chakra-ui/react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link as RouterLink, useParams } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Asked } from "~/parts/Asked";
import { Page } from "~/parts/Page";
import { useAddress } from "~/parts/useAddress";
import { runAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { Graph } from "./Graph";
import { LastRuns } from "./LastRuns";
import { NextRuns } from "./NextRuns";
import { Schedule } from "./Schedule";
import { StartDialog } from "./StartDialog";

type Workflow = components["schemas"]["WorkflowDetail"];

/** One workflow: its graph, its next and its last runs. */
export function WorkflowPage() {
  const say = useSay();
  const { workflowId: dagId = "" } = useParams();
  const [address, change] = useAddress();
  const runId = address.get("run");
  const found = useQuery({
    queryKey: ["workflows", dagId, runId],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/workflows/{dag_id}", {
          params: { path: { dag_id: dagId }, query: { run_id: runId } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (isMoving(state.data) ? 4_000 : 20_000),
  });
  if (found.data) {
    return <Whole workflow={found.data} onShow={(run) => change({ run })} />;
  }
  return (
    <Page title={dagId}>
      <Asked query={found} failed={say("workflows.one_failed")} />
    </Page>
  );
}

function isMoving(workflow: Workflow | undefined): boolean {
  return Boolean(workflow?.runs.some((one) => one.state === "running" || one.state === "queued"));
}

function Whole({ workflow, onShow }: { workflow: Workflow; onShow: (run: string | null) => void }) {
  const say = useSay();
  const [isOpen, setIsOpen] = useState(false);
  const [started, setStarted] = useState<string>();
  const actions = (
    <>
      {!workflow.may_start && <Text color="fg.muted">{say("workflows.start_denied")}</Text>}
      <Button colorPalette="blue" disabled={!workflow.may_start} onClick={() => setIsOpen(true)}>
        {say("workflows.start")}
      </Button>
    </>
  );
  return (
    <Page title={workflow.label} actions={actions}>
      <Stack gap={1}>
        {workflow.label !== workflow.dag_id && <Text color="fg.muted">{workflow.dag_id}</Text>}
        {workflow.description !== workflow.label && <Text>{workflow.description}</Text>}
        <Schedule workflow={workflow} />
      </Stack>
      {started && (
        <Alert.Root status="success" role="status">
          <Alert.Indicator />
          <Alert.Description overflowWrap="anywhere">
            {say("workflows.started", { run: started })}{" "}
            <Link asChild variant="underline">
              <RouterLink to={runAddress(workflow.dag_id, started)}>
                {say("workflows.see_run")}
              </RouterLink>
            </Link>
          </Alert.Description>
        </Alert.Root>
      )}
      <Graph workflow={workflow} />
      <LastRuns workflow={workflow} onShow={onShow} />
      <NextRuns workflow={workflow} />
      {isOpen && (
        <StartDialog
          workflow={workflow}
          onClose={() => setIsOpen(false)}
          onStarted={(run) => {
            setStarted(run);
            setIsOpen(false);
            onShow(run);
          }}
        />
      )}
    </Page>
  );
}
