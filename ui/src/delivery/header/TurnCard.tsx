import { Box, Heading, HStack, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useSay } from "~/words/useSay";
import { ControlButtons } from "../actions/ControlButtons";
import { DecisionButtons } from "../actions/DecisionButtons";
import { DecisionDialog } from "../actions/DecisionDialog";
import type { Decision as Choice } from "../actions/decide";
import { ProofButton } from "../actions/ProofButton";
import type { DeliveryHeader } from "../useHeader";
import { Decision } from "./Decision";

type Props = {
  header: DeliveryHeader;
  /** Fingerprint of what the person looked at. */
  seen: string | null;
  onReviewAgain: () => void;
};

/** A decision that is asked for, and how the delivery stood then. */
type Open = { header: DeliveryHeader; decision: Choice };

/** Whose turn it is, what is next, and the buttons for it. */
export function TurnCard({ header, seen, onReviewAgain }: Props) {
  const say = useSay();
  // What is asked stays open when the delivery moves on meanwhile: the answer is told there.
  const [open, setOpen] = useState<Open | null>(null);
  const turn = turnOf(header);
  return (
    <Box borderWidth="1px" borderRadius="md" p={4} bg={turn === "you" ? "bg.subtle" : "bg"}>
      <HStack justify="space-between" wrap="wrap" gap={4} alignItems="start">
        <Stack gap={1} minW={0} flex="1 1 18rem">
          <Heading as="h2" size="md">
            {say(`delivery.turn_${turn}`)}
          </Heading>
          {header.unheard === null && <Text>{say(`delivery.next_${header.state}`)}</Text>}
          {header.decision && <Decision made={header.decision} />}
        </Stack>
        <HStack wrap="wrap" gap={2} alignItems="start">
          <ProofButton header={header} seen={seen} />
          {header.state === "ready" ? (
            <DecisionButtons
              header={header}
              seen={seen}
              onReviewAgain={onReviewAgain}
              onOpen={(decision) => setOpen({ header, decision })}
            />
          ) : (
            <ControlButtons header={header} />
          )}
        </HStack>
      </HStack>
      {open?.header.fingerprint && (
        <DecisionDialog
          header={open.header}
          fingerprint={open.header.fingerprint}
          decision={open.decision}
          onClose={() => setOpen(null)}
        />
      )}
    </Box>
  );
}

/** Whose turn it is; also where Airflow does not go on by itself because it heard of nothing. */
function turnOf({ turn, unheard, actions }: DeliveryHeader): DeliveryHeader["turn"] {
  if (unheard === null) {
    return turn;
  }
  return actions.tell === null ? "you" : "somebody";
}
