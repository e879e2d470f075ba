import { Stack } from "@chakra-ui/react";
import { Asked } from "~/parts/Asked";
import { Pager } from "~/parts/Pager";
import type { useAddress } from "~/parts/useAddress";
import { useSay } from "~/words/useSay";
import { isFiltered, type Tab, wishOf } from "./filters";
import { GroupTable } from "./GroupTable";
import { Nothing } from "./Nothing";
import { Rows } from "./Rows";
import { useDeliveries, useGroups } from "./useDeliveries";

type Props = { tab: Tab; address: URLSearchParams; change: ReturnType<typeof useAddress>[1] };

/** The deliveries of a tab, page by page. */
export function List({ tab, address, change }: Props) {
  const say = useSay();
  const asked = useDeliveries(wishOf(tab, address, new Date()));
  return (
    <Stack gap={3} aria-busy={asked.isPlaceholderData}>
      <Asked query={asked} failed={say("deliveries.cannot_list")} lines={8}>
        {({ deliveries, next }) => (
          <>
            {deliveries.length === 0 ? (
              <Nothing tab={tab} isFiltered={isFiltered(address)} />
            ) : (
              <Rows rows={deliveries} label={say("deliveries.table")} />
            )}
            <Pages next={next} address={address} change={change} />
          </>
        )}
      </Asked>
    </Stack>
  );
}

/** The workflows, page by page. */
export function Groups({ address, change }: Omit<Props, "tab">) {
  const say = useSay();
  const [q, before] = [address.get("q"), address.get("before")];
  const asked = useGroups({ ...(q ? { q } : {}), ...(before ? { before } : {}) });
  return (
    <Stack gap={3} aria-busy={asked.isPlaceholderData}>
      <Asked query={asked} failed={say("deliveries.cannot_list")} lines={8}>
        {({ groups, next }) => (
          <>
            {groups.length === 0 ? (
              <Nothing tab="all" isFiltered={isFiltered(address)} />
            ) : (
              <GroupTable groups={groups} label={say("deliveries.groups_table")} />
            )}
            <Pages next={next} address={address} change={change} />
          </>
        )}
      </Asked>
    </Stack>
  );
}

type PagesProps = Omit<Props, "tab"> & { next: string | null };

function Pages({ next, address, change }: PagesProps) {
  return (
    <Pager
      next={next}
      isFirst={!address.get("before")}
      onNext={(before) => change({ before })}
      onFirst={() => change({ before: null })}
    />
  );
}
