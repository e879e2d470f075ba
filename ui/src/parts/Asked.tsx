import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Loading } from "./Loading";
import { Trouble } from "./Trouble";

type Props<Found> = {
  query: UseQueryResult<Found, unknown>;
  /** What was being done, in a few words: "The deliveries cannot be listed". */
  failed: string;
  /** Rows whose place is kept meanwhile. */
  lines?: number;
  /** Left out where the page is another one once it is there. */
  children?: (found: Found) => ReactNode;
};

/** What was asked for; before it is there its place, and why it failed with a way to try again. */
export function Asked<Found>({ query, failed, lines = 5, children }: Props<Found>) {
  return (
    <>
      {query.isPending && <Loading lines={lines} />}
      {query.isError && (
        <Trouble error={query.error} what={failed} onRetry={() => void query.refetch()} />
      )}
      {query.data !== undefined && children?.(query.data)}
    </>
  );
}
