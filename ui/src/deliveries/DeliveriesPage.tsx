import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** Every delivery the reader may see. */
export function DeliveriesPage() {
  const say = useSay();
  return <Page title={say("navigation.deliveries")}>{null}</Page>;
}
