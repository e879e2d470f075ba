import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** One workflow: its graph, its next and its last runs. */
export function WorkflowPage() {
  const say = useSay();
  return <Page title={say("navigation.workflows")}>{null}</Page>;
}
