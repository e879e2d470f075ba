import { Link } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import { Empty } from "~/parts/Empty";
import { useSay } from "~/words/useSay";
import type { Tab } from "./filters";

/** What stands where a tab has no delivery. */
export function Nothing({ tab, isFiltered }: { tab: Tab; isFiltered: boolean }) {
  const say = useSay();
  const what = isFiltered ? "found" : tab;
  return (
    <Empty title={say(`deliveries.none_${what}`)}>
      {say(`deliveries.none_${what}_text`)}
      {tab !== "all" && (
        <>
          {" "}
          <Link asChild variant="underline">
            <RouterLink to={{ search: "?tab=all" }}>{say("deliveries.see_all")}</RouterLink>
          </Link>
        </>
      )}
    </Empty>
  );
}
