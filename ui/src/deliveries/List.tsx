import { Stack } from "@chakra-ui/react";
import { Loading } from "~/parts/Loading";
import { Pager } from "~/parts/Pager";
import { Trouble } from "~/parts/Trouble";
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
  const found = asked.data;
  return (
    <Stack gap={3} aria-busy={asked.isPlaceholderData}>
      {asked.isError && (
        <Trouble
          error={asked.error}
          what={say("deliveries.cannot_list")}
          onRetry={() => void asked.refetch()}
        />
      )}
      {asked.isPending && <Loading lines={8} />}
      {found?.deliveries.length === 0 && <Nothing tab={tab} isFiltered={isFiltered(address)} />}
      {found && found.deliveries.length > 0 && (
        <Rows rows={found.deliveries} label={say("deliveries.table")} />
      )}
      {found && <Pages next={found.next} address={address} change={change} />}
    </Stack>
  );
}

/** The workflows, page by page. */
export function Groups({ address, change }: Omit<Props, "tab">) {
  const say = useSay();
  const [q, before] = [address.get("q"), address.get("before")];
  const asked = useGroups({ ...(q ? { q } : {}), ...(before ? { before } : {}) });
  const found = asked.data;
  return (
    <Stack gap={3} aria-busy={asked.isPlaceholderData}>
      {asked.isError && (
        <Trouble
          error={asked.error}
          what={say("deliveries.cannot_list")}
          onRetry={() => void asked.refetch()}
        />
      )}
      {asked.isPending && <Loading lines={8} />}
      {found?.groups.length === 0 && <Nothing tab="all" isFiltered={isFiltered(address)} />}
      {found && found.groups.length > 0 && (
        <GroupTable groups={found.groups} label={say("deliveries.groups_table")} />
      )}
      {found && <Pages next={found.next} address={address} change={change} />}
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
