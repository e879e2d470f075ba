import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** Every workflow the reader may see. */
export function WorkflowsPage() {
  const say = useSay();
  return <Page title={say("navigation.workflows")}>{null}</Page>;
}
