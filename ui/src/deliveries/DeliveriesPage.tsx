import { useState } from "react";
import { Loading } from "~/parts/Loading";
import { Page } from "~/parts/Page";
import { useAddress } from "~/parts/useAddress";
import { useSay } from "~/words/useSay";
import { Filters } from "./Filters";
import { isFiltered, type Tab, tabOf } from "./filters";
import { Groups, List } from "./List";
import { TabLinks } from "./TabLinks";
import { type Counts, useSummary } from "./useDeliveries";

/** Every delivery the reader may see: what needs somebody first. */
export function DeliveriesPage() {
  const say = useSay();
  const [address, change] = useAddress();
  const summary = useSummary({ most: 0 });
  const usual = useUsual(summary.data?.counts, address, summary.isError);
  const tab = usual && tabOf(address, usual);
  return (
    <Page title={say("navigation.deliveries")}>
      <TabLinks current={tab ?? "attention"} counts={summary.data?.counts} address={address} />
      {tab && <Filters tab={tab} address={address} change={change} />}
      {tab === null && <Loading lines={8} />}
      {tab !== null &&
        (tab === "all" && address.get("grouped") === "yes" ? (
          <Groups address={address} change={change} />
        ) : (
          <List key={tab} tab={tab} address={address} change={change} />
        ))}
    </Page>
  );
}

/** The tab of an address that names none: chosen once, so that nothing jumps. Null: not known yet. */
function useUsual(
  counts: Counts | undefined,
  address: URLSearchParams,
  isLost: boolean,
): Tab | null {
  const [chosen, setChosen] = useState<Tab | null>(null);
  const known = address.get("tab") !== null || isFiltered(address) || isLost;
  const usual = chosen ?? (counts ? (counts.attention ? "attention" : "all") : null);
  if (usual !== null && chosen === null) {
    setChosen(usual);
  }
  return known ? "all" : usual;
}
