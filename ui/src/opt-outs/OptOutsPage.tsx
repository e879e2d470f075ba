import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** Who wants no texts. */
export function OptOutsPage() {
  const say = useSay();
  return <Page title={say("navigation.opt-outs")}>{null}</Page>;
}
