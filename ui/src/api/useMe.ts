import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "./client";

/** Who looks, and what they may do whatever the delivery. Read once a visit. */
export function useMe() {
  return useQuery({
    queryKey: ["me"],
    queryFn: () => answerOf(api.GET("/api/v1/me")),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
