import { Alert, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { PersonForm } from "../person/PersonForm";
import { type Why, whyOf } from "../person/whyOf";
import type { Message, Review } from "./shapes";

type Props = { review: Review; onFound: (message: Message) => void };
type Found = { why: Why; messages: Message[] };

async function ask(delivery: string, person: string): Promise<Found> {
  const path = { delivery_id: delivery };
  const why = await whyOf(delivery, person);
  const position = why.messages.slice(0, 100).map((one) => one.position);
  if (position.length === 0) {
    return { why, messages: [] };
  }
  const { messages } = await answerOf(
    api.GET("/api/v1/deliveries/{delivery_id}/messages", { params: { path, query: { position } } }),
  );
  return { why, messages };
}

/** Look somebody up: the message in the phone, or why there is none. */
export function FindRecipient({ review, onFound }: Props) {
  const say = useSay();
  const found = useMutation({
    mutationFn: (person: string) => ask(review.delivery, person),
    onSuccess: ({ messages: [first] }) => first && onFound(first),
    gcTime: 0,
  });
  return (
    <Stack gap={2} borderTopWidth="1px" pt={3}>
      <PersonForm
        label={say("review.find")}
        action={say("review.find_do")}
        help={say("review.find_how")}
        isAsking={found.isPending}
        onAsk={(person) => found.mutate(person)}
      />
      {found.error && <Trouble error={found.error} what={say("review.cannot_find")} />}
      {found.data && <Answer why={found.data.why} />}
    </Stack>
  );
}

function Answer({ why }: { why: Why }) {
  const say = useSay();
  const isNobody = why.messages.length === 0 && why.exclusions.length === 0;
  return (
    <Alert.Root status={why.messages.length ? "success" : "info"} role="status" alignItems="start">
      <Alert.Indicator />
      <Stack gap={1} minW={0}>
        {why.messages.length > 0 && (
          <Text>{say("review.gets", { id: why.messages[0]?.recipient_id ?? "" })}</Text>
        )}
        {why.exclusions.slice(0, 5).map((one) => (
          <Text key={one.row_number} overflowWrap="anywhere">
            {say("review.gets_none", {
              id: one.recipient_id,
              reason: say(`review.reason_${one.reason}`),
            })}{" "}
            {one.winner_id === null
              ? say(`review.means_${one.reason}`)
              : say("review.winner", { id: one.winner_id })}
          </Text>
        ))}
        {isNobody && <Text>{say("review.not_targeted")}</Text>}
      </Stack>
    </Alert.Root>
  );
}
