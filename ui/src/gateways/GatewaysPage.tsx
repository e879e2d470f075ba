import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** The gateways and how they are. */
export function GatewaysPage() {
  const say = useSay();
  return <Page title={say("navigation.gateways")}>{null}</Page>;
}
