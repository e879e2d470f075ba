import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** One template with a live preview. */
export function TemplatePage() {
  const say = useSay();
  return <Page title={say("navigation.templates")}>{null}</Page>;
}
