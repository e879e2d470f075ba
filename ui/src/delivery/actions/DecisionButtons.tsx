import { Alert, Button, HStack, Stack, Text } from "@chakra-ui/react";
import { useState } from "react";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";
import { DecisionDialog } from "./DecisionDialog";
import { reasonOf } from "./reasonOf";

type Props = {
  header: DeliveryHeader;
  /** Fingerprint of what the person looked at. */
  seen: string | null;
  onReviewAgain: () => void;
};

/** Send and Reject, of the very content that the person looked at. */
export function DecisionButtons({ header, seen, onReviewAgain }: Props) {
  const say = useSay();
  const [open, setOpen] = useState<"send" | "reject" | null>(null);
  const isStale = seen !== header.fingerprint;
  const { send, reject } = header.actions;
  const why = reasonOf(say, send);
  return (
    <Stack gap={2} alignItems="end">
      {isStale && (
        <Alert.Root status="warning" role="alert">
          <Alert.Indicator />
          <Alert.Title flex={1}>{say("delivery.prepared_again")}</Alert.Title>
          <Button size="sm" variant="outline" onClick={onReviewAgain}>
            {say("delivery.review_it")}
          </Button>
        </Alert.Root>
      )}
      <HStack wrap="wrap">
        <Button
          variant="outline"
          disabled={reject !== null || isStale}
          onClick={() => setOpen("reject")}
        >
          {say("delivery.reject")}
        </Button>
        <Button
          colorPalette="blue"
          disabled={send !== null || isStale}
          onClick={() => setOpen("send")}
        >
          {say("delivery.send")}
        </Button>
      </HStack>
      {why && (
        <Text color="fg.muted" fontSize="sm">
          {why}
        </Text>
      )}
      {open && seen && (
        <DecisionDialog
          header={header}
          fingerprint={seen}
          decision={open}
          onClose={() => setOpen(null)}
        />
      )}
    </Stack>
  );
}
