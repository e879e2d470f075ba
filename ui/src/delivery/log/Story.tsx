import { Box, Button, HStack, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useIntl } from "react-intl";
import { answerOf, api } from "~/api/client";
import { Loading } from "~/parts/Loading";
import { Section } from "~/parts/Section";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";

type Props = { delivery: string; position: number; onClose: () => void };

/** What happened to one message, step by step. */
export function Story({ delivery, position, onClose }: Props) {
  const say = useSay();
  const intl = useIntl();
  const read = useQuery({
    queryKey: ["story", delivery, position],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/deliveries/{delivery_id}/messages/log/{position}", {
          params: { path: { delivery_id: delivery, position } },
        }),
      ),
  });
  // It opens above the list, which may be far from the button that was pressed.
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another story is another one to read
  useEffect(() => box.current?.focus(), [position]);
  return (
    <Box ref={box} tabIndex={-1}>
      <Section
        title={say("log.story_of", { position })}
        aside={
          <Button size="xs" variant="outline" onClick={onClose}>
            {say("log.close")}
          </Button>
        }
      >
        {read.error && <Trouble error={read.error} what={say("log.cannot_tell")} />}
        {read.isLoading && <Loading lines={3} />}
        {read.data && (
          <Stack as="ol" gap={2} listStyleType="none">
            <Text as="li">
              {read.data.recipient_id} · {read.data.phone}
            </Text>
            {read.data.steps.map((step) => (
              <HStack as="li" key={`${step.event} ${step.attempt} ${step.at}`} wrap="wrap" gap={2}>
                <Text fontWeight="medium">{say(`log.event_${step.event}`)}</Text>
                {step.kind && <Text>{say(`log.state_${step.kind}`)}</Text>}
                {step.code && <Text overflowWrap="anywhere">{step.code.replaceAll("_", " ")}</Text>}
                <Text color="fg.muted" fontSize="sm" overflowWrap="anywhere">
                  {[
                    step.attempt !== null && say("log.attempt", { attempt: step.attempt }),
                    step.gateway_ref,
                    step.at &&
                      intl.formatDate(step.at, { dateStyle: "medium", timeStyle: "medium" }),
                  ]
                    .filter(Boolean)
                    .join(" · ")}
                </Text>
              </HStack>
            ))}
          </Stack>
        )}
      </Section>
    </Box>
  );
}
