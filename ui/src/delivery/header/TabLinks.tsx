import { TabLinks as Links } from "~/parts/TabLinks";
import { type DeliveryTab, deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { TABS } from "./tabs";

/** The parts of a delivery's page. */
export function TabLinks({ id, current }: { id: string; current: DeliveryTab }) {
  const say = useSay();
  const links = TABS.map((tab) => ({
    key: tab,
    to: deliveryAddress(id, tab),
    label: say(`delivery.tab_${tab}`),
  }));
  return <Links name={say("delivery.tabs")} current={current} links={links} />;
}
