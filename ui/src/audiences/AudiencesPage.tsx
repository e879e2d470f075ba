import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** Every saved audience. */
export function AudiencesPage() {
  const say = useSay();
  return <Page title={say("navigation.audiences")}>{null}</Page>;
}
