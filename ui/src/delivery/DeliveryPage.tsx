import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";

/** One delivery, from its review to its report. */
export function DeliveryPage() {
  const say = useSay();
  return <Page title={say("navigation.deliveries")}>{null}</Page>;
}
