import { Field, Input, Stack, Text, Textarea } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api, newKey } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";

type Props = { connId: string; onClose: () => void };

/** One text to one number, now. */
export function MessageDialog({ connId, onClose }: Props) {
  const say = useSay();
  const [given, setGiven] = useState({ to: "", sender: "", text: say("gateways.test_text") });
  // One key as long as nothing is changed: pressed again after a lost answer, it sends nothing more.
  const [key, setKey] = useState(newKey);
  const sent = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST("/api/v1/gateways/{conn_id}/test-message", {
          params: { path: { conn_id: connId }, header: { "Idempotency-Key": key } },
          body: { ...given, region: null },
        }),
      ),
  });
  const change = (changes: Partial<typeof given>) => {
    sent.reset();
    setKey(newKey());
    setGiven({ ...given, ...changes });
  };
  return (
    <Confirm
      isOpen
      title={say("gateways.message_title", { gateway: connId })}
      action={say("gateways.message_send")}
      isBusy={sent.isPending}
      isDisabled={given.to.trim() === "" || given.text.trim() === "" || sent.isSuccess}
      onConfirm={() => sent.mutate()}
      onClose={onClose}
    >
      <Stack gap={4}>
        <Text>{say("gateways.message_text")}</Text>
        <Field.Root required>
          <Field.Label>{say("gateways.to")}</Field.Label>
          <Input
            type="tel"
            autoComplete="off"
            placeholder="+33 6 12 34 56 78"
            value={given.to}
            onChange={(event) => change({ to: event.target.value })}
          />
        </Field.Root>
        <Field.Root>
          <Field.Label>{say("gateways.sender")}</Field.Label>
          <Input
            value={given.sender}
            onChange={(event) => change({ sender: event.target.value })}
          />
          <Field.HelperText>{say("gateways.sender_help")}</Field.HelperText>
        </Field.Root>
        <Field.Root required>
          <Field.Label>{say("gateways.message")}</Field.Label>
          <Textarea
            rows={3}
            maxLength={1000}
            value={given.text}
            onChange={(event) => change({ text: event.target.value })}
          />
        </Field.Root>
        <div aria-live="polite">
          {sent.isError && (
            <Trouble error={sent.error} what={say("gateways.message_failed")} isWrite />
          )}
          {sent.data && (
            <Text fontWeight="medium">
              {say(`gateways.result_${sent.data.result}`, { code: sent.data.code || "–" })}
            </Text>
          )}
        </div>
      </Stack>
    </Confirm>
  );
}
