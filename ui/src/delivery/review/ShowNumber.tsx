import { Button, HStack, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import type { Message, Review } from "./shapes";

/** The masked number, and the whole one for those who may see it: that they look is noted. */
export function ShowNumber({ message, review }: { message: Message; review: Review }) {
  const say = useSay();
  const show = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST("/api/v1/deliveries/{delivery_id}/unmask", {
          params: { path: { delivery_id: review.delivery } },
          body: { positions: [message.position], fingerprint: review.fingerprint ?? "" },
        }),
      ),
    // Not kept once the message is out of sight.
    gcTime: 0,
  });
  const press = () => {
    if (show.data) {
      show.reset();
    } else if (!show.isPending) {
      show.mutate();
    }
  };
  const phone = show.data?.phones[0]?.phone;
  return (
    <Stack gap={1} minW={0}>
      <HStack wrap="wrap" gap={2}>
        <Text as="span" whiteSpace="nowrap" fontVariantNumeric="tabular-nums" aria-live="polite">
          {phone ?? message.to_masked}
        </Text>
        {review.may_unmask && (
          // Never disabled nor taken away: whoever pressed it by the keyboard stays where they are.
          <Button size="xs" variant="outline" aria-busy={show.isPending} onClick={press}>
            {say(show.data ? "review.hide_number" : "review.show_number")}
          </Button>
        )}
      </HStack>
      {review.may_unmask && (
        <Text fontSize="xs" color="fg.muted">
          {show.data ? say(phone ? "review.noted" : "review.number_gone") : say("review.is_noted")}
        </Text>
      )}
      {show.error && <Trouble error={show.error} what={say("review.cannot_unmask")} />}
    </Stack>
  );
}
