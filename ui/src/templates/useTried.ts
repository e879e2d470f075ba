import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";

export type Row = components["schemas"]["TemplateTry"]["rows"][number];
export type Tried = components["schemas"]["TemplateTried"];

const PAUSE_MS = 400;

/** A value that follows *value* once nobody has typed for a moment. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** What people would read of *body*, a moment after the last key. */
export function useTried(name: string, body: string, language: string, rows: Row[] | null) {
  const asked = useSettled(JSON.stringify({ body, language, rows }));
  return useQuery({
    queryKey: ["templates", name, "preview", asked],
    queryFn: () => {
      const read = JSON.parse(asked) as { body: string; language: string; rows: Row[] };
      return answerOf(
        api.POST("/api/v1/templates/{name}/preview", { params: { path: { name } }, body: read }),
      );
    },
    enabled: rows !== null && rows.length > 0,
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    retry: false,
  });
}
