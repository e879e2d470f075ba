import { Badge } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";

const COLOURS: Record<string, string> = {
  queued: "gray",
  running: "blue",
  success: "green",
  failed: "red",
};

/** What became of a run, in words. */
export function RunState({ state }: { state: string }) {
  const say = useSay();
  return (
    <Badge colorPalette={COLOURS[state] ?? "gray"}>
      {state in COLOURS ? say(`workflows.run_${state}`) : state}
    </Badge>
  );
}
