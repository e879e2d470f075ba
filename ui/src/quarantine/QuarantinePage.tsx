import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** Numbers that cannot get a text. */
export function QuarantinePage() {
  const say = useSay();
  return <Page title={say("navigation.quarantine")}>{null}</Page>;
}
