import { Alert, Button, HStack, Stack } from "@chakra-ui/react";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";
import { reasonOf } from "./reasonOf";
import { Why } from "./Why";

type Props = {
  header: DeliveryHeader;
  /** Fingerprint of what the person looked at. */
  seen: string | null;
  onReviewAgain: () => void;
  onOpen: (decision: "send" | "reject") => void;
};

/** Send and Reject, of the very content that the person looked at. */
export function DecisionButtons({ header, seen, onReviewAgain, onOpen }: Props) {
  const say = useSay();
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
          onClick={() => onOpen("reject")}
        >
          {say("delivery.reject")}
        </Button>
        <Button
          colorPalette="blue"
          disabled={send !== null || isStale}
          onClick={() => onOpen("send")}
        >
          {say("delivery.send")}
        </Button>
      </HStack>
      <Why reason={why} />
    </Stack>
  );
}
