import { Button, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";
import { ProofDialog } from "./ProofDialog";

type Props = {
  header: DeliveryHeader;
  /** Fingerprint of what the person looked at; the proof is of that and nothing else. */
  seen: string | null;
};

/** Send some of the messages to test numbers. */
export function ProofButton({ header, seen }: Props) {
  const say = useSay();
  const [isOpen, setOpen] = useState(false);
  const { prove } = header.actions;
  if (prove === "state" || seen === null) {
    return null;
  }
  return (
    <Stack gap={1}>
      <Button
        variant="outline"
        disabled={prove !== null || seen !== header.fingerprint}
        onClick={() => setOpen(true)}
      >
        {say("delivery.prove")}
      </Button>
      {prove === "right" && (
        <Text color="fg.muted" fontSize="sm">
          {say("delivery.barred_prove")}
        </Text>
      )}
      {isOpen && (
        <ProofDialog id={header.delivery} fingerprint={seen} onClose={() => setOpen(false)} />
      )}
    </Stack>
  );
}
