import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** Every delivery template. */
export function TemplatesPage() {
  const say = useSay();
  return <Page title={say("navigation.templates")}>{null}</Page>;
}
