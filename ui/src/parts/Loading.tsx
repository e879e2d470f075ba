import { Skeleton, Stack, VisuallyHidden } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";

/** Keeps the place of what comes: *lines* rows of the height of a table's. */
export function Loading({ lines = 5 }: { lines?: number }) {
  const say = useSay();
  const rows = Array.from({ length: lines }, (_, number) => `row-${number}`);
  return (
    <Stack gap={3} role="status" aria-busy="true">
      <VisuallyHidden>{say("common.loading")}</VisuallyHidden>
      {rows.map((row) => (
        <Skeleton key={row} height="2.25rem" />
      ))}
    </Stack>
  );
}
