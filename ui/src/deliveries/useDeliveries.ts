import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { startOfDay, type Wish } from "./filters";

export type Row = components["schemas"]["DeliveryRow"];
export type Group = components["schemas"]["DeliveryGroup"];
export type Counts = components["schemas"]["DeliveryCounts"];

const MOVING = new Set(["preparing", "sending"]);
const SOON = 4_000;
const LATER = 20_000;

/** How long to wait before looking again at *rows*. */
export function pauseOf(rows: Row[] | undefined): number {
  return rows?.some((row) => MOVING.has(row.state)) ? SOON : LATER;
}

/** A page of deliveries; the former one stays until the next has come. */
export function useDeliveries(wish: Wish) {
  return useQuery({
    queryKey: ["deliveries", "list", wish],
    queryFn: ({ signal }) =>
      answerOf(api.GET("/api/v1/deliveries", { params: { query: wish }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => pauseOf(state.data?.deliveries),
  });
}

/** A page of workflows with their latest deliveries. */
export function useGroups(wish: { q?: string; before?: string }) {
  return useQuery({
    queryKey: ["deliveries", "groups", wish],
    queryFn: ({ signal }) =>
      answerOf(api.GET("/api/v1/deliveries/groups", { params: { query: wish }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => pauseOf(state.data?.groups.map((group) => group.last)),
  });
}

/** What needs a person and what is being sent: counts, and the latest *most* of each. */
export function useSummary({ most, isQuiet = false }: { most: number; isQuiet?: boolean }) {
  return useQuery({
    queryKey: ["deliveries", "summary", most],
    queryFn: ({ signal }) =>
      answerOf(
        api.GET("/api/v1/deliveries/summary", {
          params: { query: { most, today: startOfDay(new Date()) } },
          signal,
        }),
      ),
    refetchInterval: LATER,
    ...(isQuiet ? { retry: false } : {}),
  });
}
