import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** One saved audience with its versions. */
export function AudiencePage() {
  const say = useSay();
  return <Page title={say("navigation.audiences")}>{null}</Page>;
}
