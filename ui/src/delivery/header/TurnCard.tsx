import { Box, Heading, HStack, Stack, Text } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";
import { ControlButtons } from "../actions/ControlButtons";
import { DecisionButtons } from "../actions/DecisionButtons";
import { ProofButton } from "../actions/ProofButton";
import type { DeliveryHeader } from "../useHeader";
import { Decision } from "./Decision";

type Props = {
  header: DeliveryHeader;
  /** Fingerprint of what the person looked at. */
  seen: string | null;
  onReviewAgain: () => void;
};

/** Whose turn it is, what is next, and the buttons for it. */
export function TurnCard({ header, seen, onReviewAgain }: Props) {
  const say = useSay();
  return (
    <Box borderWidth="1px" borderRadius="md" p={4} bg={header.turn === "you" ? "bg.subtle" : "bg"}>
      <HStack justify="space-between" wrap="wrap" gap={4} alignItems="start">
        <Stack gap={1} minW={0} flex="1 1 18rem">
          <Heading as="h2" size="md">
            {say(`delivery.turn_${header.turn}`)}
          </Heading>
          <Text>{say(`delivery.next_${header.state}`)}</Text>
          {header.decision && <Decision made={header.decision} />}
        </Stack>
        <HStack wrap="wrap" gap={2} alignItems="start">
          <ProofButton header={header} seen={seen} />
          {header.state === "ready" ? (
            <DecisionButtons header={header} seen={seen} onReviewAgain={onReviewAgain} />
          ) : (
            <ControlButtons header={header} />
          )}
        </HStack>
      </HStack>
    </Box>
  );
}
