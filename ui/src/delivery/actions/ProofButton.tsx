import { Button, Stack } from "@chakra-ui/react";
import { useState } from "react";
import { useIsOff } from "~/switch/useSwitch";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";
import { ProofDialog } from "./ProofDialog";
import { Why } from "./Why";

type Props = {
  header: DeliveryHeader;
  /** Fingerprint of what the person looked at; the proof is of that and nothing else. */
  seen: string | null;
};

/** Send some of the messages to test numbers. */
export function ProofButton({ header, seen }: Props) {
  const say = useSay();
  const [about, setAbout] = useState<string | null>(null);
  const isOff = useIsOff();
  const { prove } = header.actions;
  const isShown = prove !== "state" && seen !== null;
  const why = prove === "right" ? "right" : isShown && isOff ? "switch" : "";
  return (
    <Stack gap={1} alignItems="start">
      {isShown && (
        <Button
          variant="outline"
          disabled={prove !== null || isOff || seen !== header.fingerprint}
          onClick={() => setAbout(seen)}
        >
          {say("delivery.prove")}
        </Button>
      )}
      <Why reason={why && say(`delivery.barred_prove_${why}`)} />
      {about && (
        <ProofDialog id={header.delivery} fingerprint={about} onClose={() => setAbout(null)} />
      )}
    </Stack>
  );
}
