import { Field, List, Stack, Text, Textarea } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { answerOf, api, newKey } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";

/** Characters of a reason that the API takes. */
const MOST = 500;

type Props = {
  /** Off, or on again as it stood when the person looked. */
  turn: { to: "off" } | { to: "on"; version: string };
  onClose: () => void;
};

/** Say what the switch does and what it does not, take a reason, and turn it. */
export function SwitchDialog({ turn, onClose }: Props) {
  const say = useSay();
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  // One for each time the dialog opens: pressed twice, it turns once.
  const key = useRef(newKey());
  const headers = { "Idempotency-Key": key.current };
  const act = useMutation({
    mutationFn: () =>
      turn.to === "off"
        ? answerOf(api.POST("/api/v1/switch/off", { body: { reason: reason.trim() }, headers }))
        : answerOf(
            api.POST("/api/v1/switch/on", {
              body: { reason: reason.trim(), version: turn.version },
              headers,
            }),
          ),
    // Deliveries pause with it: whatever is shown is read again.
    onSettled: () => queries.invalidateQueries(),
    onSuccess: onClose,
    onError: () => {
      key.current = newKey();
    },
  });
  const to = turn.to;
  return (
    <Confirm
      isOpen
      title={say(`switch.${to}_title`)}
      action={say(`switch.${to}_now`)}
      palette={to === "off" ? "red" : "blue"}
      isBusy={act.isPending}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <Stack gap={4}>
        <Text>{say(`switch.${to}_means`)}</Text>
        <List.Root ps={5}>
          <List.Item>{say(`switch.${to}_first`)}</List.Item>
          <List.Item>{say(`switch.${to}_second`)}</List.Item>
        </List.Root>
        <Field.Root>
          <Field.Label>{say("switch.reason")}</Field.Label>
          <Textarea
            value={reason}
            maxLength={MOST}
            onChange={({ target }) => setReason(target.value)}
          />
          <Field.HelperText>{say("switch.reason_help")}</Field.HelperText>
        </Field.Root>
        {act.isError && <Trouble error={act.error} what={say("switch.not_turned")} isWrite />}
      </Stack>
    </Confirm>
  );
}
