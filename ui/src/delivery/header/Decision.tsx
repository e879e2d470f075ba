import { Text } from "@chakra-ui/react";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";

/** Who decided, what, when, and what they said about it. */
export function Decision({ made }: { made: NonNullable<DeliveryHeader["decision"]> }) {
  const say = useSay();
  return (
    <Text color="fg.muted">
      {say(`delivery.decided_${made.decision}`, { name: made.name || made.by })} ·{" "}
      <When at={made.at} />
      {made.comment && <> · “{made.comment}”</>}
    </Text>
  );
}
