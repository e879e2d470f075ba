import { Badge } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";

/** The colour of each state, by the names of the host's palettes. Never the only sign of it. */
const COLOURS: Record<string, string> = {
  preparing: "blue",
  preparation_failed: "red",
  ready: "orange",
  approved: "blue",
  sending: "blue",
  paused: "orange",
  finished: "green",
  stopped: "red",
};

/** What state a delivery is in, in words. */
export function State({ state }: { state: string }) {
  const say = useSay();
  return (
    <Badge colorPalette={COLOURS[state] ?? "gray"} size="md">
      {say(`states.${state}`)}
    </Badge>
  );
}
