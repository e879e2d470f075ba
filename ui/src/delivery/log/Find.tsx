import { Button, Field, HStack, Input, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answerOf, api } from "~/api/client";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { Section } from "../review/Section";

type Props = { delivery: string; onOpen: (position: number) => void };

/** Why somebody got a text, or not. A number travels in a body only: addresses are logged. */
export function Find({ delivery, onOpen }: Props) {
  const say = useSay();
  const [person, setPerson] = useState("");
  const found = useMutation({
    mutationFn: () => {
      const asked = person.trim();
      return answerOf(
        api.POST("/api/v1/deliveries/{delivery_id}/why", {
          params: { path: { delivery_id: delivery } },
          body: asked.startsWith("+") ? { number: asked } : { recipient_id: asked },
        }),
      );
    },
    gcTime: 0,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (person.trim() && !found.isPending) {
      found.mutate();
    }
  };
  const why = found.data;
  return (
    <Section title={say("log.find")}>
      <Stack as="form" gap={2} onSubmit={submit}>
        <Field.Root maxW="30rem">
          <Field.Label>{say("log.find_how")}</Field.Label>
          <HStack w="full">
            <Input
              size="sm"
              value={person}
              maxLength={250}
              autoComplete="off"
              onChange={(event) => setPerson(event.target.value)}
            />
            <Button type="submit" size="sm" variant="outline" aria-busy={found.isPending}>
              {say("log.find_do")}
            </Button>
          </HStack>
        </Field.Root>
      </Stack>
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
