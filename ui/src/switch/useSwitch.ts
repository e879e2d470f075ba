import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";

export type Switch = components["schemas"]["SwitchAnswer"];

/** How the switch for everything stands; asked for again and again. */
export function useSwitch() {
  return useQuery({
    queryKey: ["switch"],
    queryFn: () => answerOf(api.GET("/api/v1/switch")),
    refetchInterval: 10_000,
  });
}

/** Whether everything is switched off, as far as is known. */
export function useIsOff(): boolean {
  return useSwitch().data?.is_off ?? false;
}
