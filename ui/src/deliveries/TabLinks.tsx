import { Badge } from "@chakra-ui/react";
import { TabLinks as Links } from "~/parts/TabLinks";
import { useSay } from "~/words/useSay";
import { TABS, type Tab } from "./filters";
import { Bounded } from "./GroupTable";
import type { Counts } from "./useDeliveries";

const COUNTED = {
  attention: "attention",
  sending: "sending",
  finished: "finished_today",
  all: "all",
} as const;

type Props = { current: Tab; counts: Counts | undefined; address: URLSearchParams };

/** The tabs of the list. The search stays from one to the next. */
export function TabLinks({ current, counts, address }: Props) {
  const say = useSay();
  const links = TABS.map((tab) => ({
    key: tab,
    to: { search: `?${searchOf(tab, address)}` },
    label: (
      <>
        {say(`deliveries.tab_${tab}`)}
        <Badge minW="2.5rem" justifyContent="center">
          {counts ? <Bounded value={counts[COUNTED[tab]]} /> : "…"}
        </Badge>
      </>
    ),
  }));
  return <Links name={say("deliveries.tabs")} current={current} links={links} />;
}

function searchOf(tab: Tab, address: URLSearchParams): string {
  const search = new URLSearchParams({ tab });
  for (const name of ["q", "workflow"]) {
    const value = address.get(name);
    if (value) {
      search.set(name, value);
    }
  }
  return search.toString();
}
