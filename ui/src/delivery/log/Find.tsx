import { Button, HStack, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { Section } from "~/parts/Section";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { PersonForm } from "../person/PersonForm";
import { whyOf } from "../person/whyOf";

type Props = { delivery: string; onOpen: (position: number) => void };

/** Why somebody got a text, or not. */
export function Find({ delivery, onOpen }: Props) {
  const say = useSay();
  const found = useMutation({
    mutationFn: (person: string) => whyOf(delivery, person),
    gcTime: 0,
  });
  const why = found.data;
  return (
    <Section title={say("log.find")}>
      <PersonForm
        label={say("log.find_how")}
        action={say("log.find_do")}
        isAsking={found.isPending}
        onAsk={(person) => found.mutate(person)}
      />
      {found.error && <Trouble error={found.error} what={say("log.cannot_find")} />}
      <Stack gap={2} role="status">
        {why?.messages.slice(0, 5).map((one) => (
          <HStack key={one.position} wrap="wrap">
            <Text overflowWrap="anywhere">
              {say("log.gets", {
                id: one.recipient_id,
                state: say(`log.state_${one.state}`),
              })}
            </Text>
            <Button size="xs" variant="outline" onClick={() => onOpen(one.position)}>
              {say("log.show")}
            </Button>
          </HStack>
        ))}
        {why?.exclusions.slice(0, 5).map((one) => (
          <Text key={one.row_number} overflowWrap="anywhere">
            {say("log.gets_none", {
              id: one.recipient_id,
              reason: say(`review.reason_${one.reason}`),
            })}
          </Text>
        ))}
        {why && why.messages.length + why.exclusions.length === 0 && (
          <Text>{say("log.not_targeted")}</Text>
        )}
      </Stack>
    </Section>
  );
}
