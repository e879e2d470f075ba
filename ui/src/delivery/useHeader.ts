import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";

export type DeliveryHeader = components["schemas"]["DeliveryHeader"];

/** States that another one follows by itself. */
const MOVING = new Set(["preparing", "approved", "sending"]);

/** How a delivery stands: asked for often while it moves, else now and then. */
export function useHeader(id: string) {
  return useQuery({
    queryKey: ["header", id],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/deliveries/{delivery_id}/header", {
          params: { path: { delivery_id: id } },
        }),
      ),
    refetchInterval: ({ state }) => (MOVING.has(state.data?.state ?? "") ? 3_000 : 15_000),
  });
}

/** A function that reads again whatever is shown of a delivery. */
export function useReadAgain(id: string) {
  const queries = useQueryClient();
  return useCallback(
    () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey.includes(id) }),
    [queries, id],
  );
}
